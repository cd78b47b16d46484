import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from label_studio_crowd.errors import UserError
from label_studio_crowd.store.projects import Store


def test_a_store_of_a_newer_release_is_left_alone(store):
    Store(store).close()
    engine = sa.create_engine(store.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE schema_version SET version = 99"))
    with pytest.raises(UserError, match="version 99"):
        Store(store)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "sqlite:///FILE"),
        ("oracle://user:password@x", "sqlite:///FILE"),
        ("postgresql://user:password@127.0.0.1:9/x", "cannot be opened"),
        ("sqlite:///:memory:", "sqlite:///FILE"),
        ("sqlite:////proc/nowhere/mirror.sqlite", "cannot be opened"),
    ],
)
def test_a_store_that_cannot_be_opened_is_named(url, said):
    with pytest.raises(UserError, match=said) as error:
        Store(url)
    assert "password" not in str(error.value)


def test_a_file_that_is_no_store_is_left_alone(tmp_path):
    path = tmp_path / "letter.txt"
    path.write_text("Dear reader, " * 100)
    with pytest.raises(UserError, match="cannot be opened"):
        Store(f"sqlite:///{path}")
    assert path.read_text() == "Dear reader, " * 100


def test_many_may_start_at_once(store):
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: Store(store).project("s", 1).key, range(8)))
    assert len(keys) == 1


def test_a_store_that_is_deleted_is_made_anew_without_a_restart(tmp_path):
    folder = tmp_path / "store"
    opened, other = (Store(f"sqlite:///{folder}/mirror.sqlite") for _ in range(2))
    first = opened.project("s", 1)
    first.mirror.set_complete_until("2026-01-01T00:00:00.000000Z")
    shutil.rmtree(folder)
    assert opened.known_key("s", 1) is None
    again = opened.project("s", 1)
    assert again.mirror.complete_until() is None
    assert other.known_key("s", 1) == again.key != first.key
    first.mirror.set_complete_until("2026-01-01T00:00:00.000000Z")  # a run that goes on
    assert again.mirror.complete_until() is None
    assert opened.times_renewed == other.times_renewed == 1


def test_tables_that_are_dropped_are_made_anew(store):
    opened = Store(store)
    opened.project("s", 1)
    engine = sa.create_engine(store.replace("postgresql:", "postgresql+psycopg:"))
    metadata = sa.MetaData()
    metadata.reflect(engine)
    metadata.drop_all(engine)
    with pytest.raises(sa.exc.DBAPIError):
        opened.known_key("s", 1)
    assert opened.known_key("s", 1) is None
    assert opened.project("s", 1).key
    opened.close()
