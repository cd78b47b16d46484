"""Starts the backend: ``label-studio-ml start plugin/ml_backend`` runs this file.

Settings are those of ``label-studio-crowd``: LABEL_STUDIO_URL, LABEL_STUDIO_API_KEY and so on. Any other WSGI server
finds `app` here; it serves requests only, and a ``label-studio-crowd serve`` with the same store has to do the work.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from model import backend, create_app

from label_studio_crowd.access import listening_host
from label_studio_crowd.errors import UserError
from label_studio_crowd.logs import configure_logs
from label_studio_crowd.service.scheduler import Service
from label_studio_crowd.settings import PREFIX, Settings, load


def main() -> int:
    """Serve, and rescore what changes, until Ctrl-C."""
    parser = argparse.ArgumentParser(description="label-studio-crowd, served by label-studio-ml")
    parser.add_argument("-p", "--port", type=int, help="port [PORT, or 9090]")
    parser.add_argument("--host", help="address [everywhere; without a password loopback]")
    parser.add_argument("--log-level", choices=["DEBUG", "INFO", "WARNING", "ERROR"], help="[LOG_LEVEL, or INFO]")
    parser.add_argument("-d", "--debug", dest="log_level", action="store_const", const="DEBUG", help="log more")
    parser.add_argument("--basic-auth-user", default=os.environ.get("ML_SERVER_BASIC_AUTH_USER"), help="[none]")
    parser.add_argument("--basic-auth-pass", default=os.environ.get("ML_SERVER_BASIC_AUTH_PASS"), help="[none]")
    parser.add_argument("--model-dir", type=Path(__file__).parent.joinpath, help="where trained models are kept")
    parser.add_argument("--with", "--kwargs", dest="options", nargs="+", default=[], metavar="NAME=VALUE")
    parser.add_argument("--check", action="store_true", help="see to it that the store opens, before it serves")
    arguments = vars(parser.parse_args())
    options, check = arguments.pop("options"), arguments.pop("check")
    try:
        for name, value in [*arguments.items(), *map(_option, options)]:
            if value is not None:
                os.environ[PREFIX + name.upper()] = str(value)
        settings = load()
        if check:
            print(f"label-studio-crowd: {backend().settings.store.partition(':')[0]} store, settings: all is well")
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


def _option(text: str) -> tuple[str, str]:
    """Return the name and value of an option after ``--with``."""
    name, equals, value = text.partition("=")
    if not equals or name not in Settings.model_fields:
        raise UserError(f"Found --with {text}; allowed is NAME=VALUE with a setting's name, as in classifier=none.")
    return name, value


if __name__ == "__main__":
    sys.exit(main())
else:
    app = create_app(load())
