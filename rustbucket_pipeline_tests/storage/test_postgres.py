from sqlalchemy import Engine, text


def test_a_database_is_at_hand(database: Engine) -> None:
    with database.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM rustbuckets")).scalar_one() == 0
        assert connection.execute(text("SHOW timezone")).scalar_one() == "UTC"
