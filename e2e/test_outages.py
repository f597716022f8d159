"""PostgreSQL's own word for a full disk, in a real statement, as somebody at a page meets it."""

import pytest
from django.db import connection

pytestmark = pytest.mark.servers
FULL = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'could not extend file "base/1/2": No space left on device' USING ERRCODE = 'disk_full';
END $$;
CREATE TRIGGER no_room BEFORE UPDATE ON accounts_user FOR EACH ROW EXECUTE FUNCTION no_room();
"""


@pytest.fixture
def no_room(transactional_db):
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL; `make test` starts it")
    yield lambda: connection.cursor().execute(FULL)
    connection.cursor().execute("DROP FUNCTION IF EXISTS no_room CASCADE")


def test_a_full_database_is_told_and_what_was_typed_comes_back(no_room, as_hr, hr):
    no_room()
    as_hr.raise_request_exception = False
    sent = as_hr.post("/settings/", {"name": "A name of several words"})
    assert sent.status_code == 503
    page = sent.content.decode()
    assert "There is no room left to store anything" in page
    assert '<input type="hidden" name="name" value="A name of several words">' in page
    hr.refresh_from_db()
    assert hr.name == "Hanne Berg"
    connection.cursor().execute("DROP FUNCTION no_room CASCADE")
    assert as_hr.post("/settings/", {"name": "A name of several words"}).status_code == 302
    hr.refresh_from_db()
    assert hr.name == "A name of several words"
