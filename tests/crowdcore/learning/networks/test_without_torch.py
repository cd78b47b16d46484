"""Where torch is not installed, and where nobody asks for it."""

import subprocess
import sys
import textwrap


def python(code):
    """Return what a new process prints."""
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    return done.stdout.strip()


def test_imports_do_not_import_torch():
    code = """
        import sys, crowdcore, crowdcore.learning, crowdcore.learning.networks
        print("torch" in sys.modules, "skorch" in sys.modules)
    """
    assert python(code) == "False False"


def test_a_fit_says_what_to_install():
    code = """
        import sys

        class Missing:
            def find_spec(name, path=None, target=None):
                if name == "torch":
                    raise ModuleNotFoundError(f"No module named {name!r}", name=name)

        sys.meta_path.insert(0, Missing)
        from crowdcore.learning.networks import NetworkClassifier
        try:
            NetworkClassifier().fit([[0.0], [1.0]], [0, 1])
        except ImportError as error:
            print(error)
    """
    assert "pip install 'label-studio-crowd[deep]'" in python(code)
