"""Starts the backend: ``label-studio-ml start plugin/ml_backend`` runs this file.

Settings are those of ``label-studio-crowd``: LABEL_STUDIO_URL, LABEL_STUDIO_API_KEY and so on. Any other WSGI server
finds `app` here; it serves requests only, and a ``label-studio-crowd serve`` with the same store has to do the work.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys

from model import backend, create_app

from label_studio_crowd.access import listening_host
from label_studio_crowd.errors import UserError
from label_studio_crowd.logs import configure_logs
from label_studio_crowd.service.scheduler import Service
from label_studio_crowd.settings import PREFIX, load


def main() -> int:
    """Serve, and rescore what changes, until Ctrl-C."""
    parser = argparse.ArgumentParser(description="label-studio-crowd, served by label-studio-ml")
    parser.add_argument("-p", "--port", type=int, help="port [PORT, or 9090]")
    parser.add_argument("--host", help="address [everywhere; without a password loopback]")
    parser.add_argument("--log-level", choices=["DEBUG", "INFO", "WARNING", "ERROR"], help="[LOG_LEVEL, or INFO]")
    arguments = parser.parse_args()
    try:
        for name, value in vars(arguments).items():
            if value is not None:
                os.environ[PREFIX + name.upper()] = str(value)
        settings = load()
        host = listening_host(settings)
        configure_logs(settings)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with Service(backend()):
            create_app(settings).run(host=host, port=settings.port)
    except UserError as error:
        print(f"label-studio-crowd: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
else:
    app = create_app(load())
