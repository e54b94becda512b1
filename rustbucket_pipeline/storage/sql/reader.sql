-- The login role rustbucket_reader: every view of ours may be read, nothing else; a question of its own has an end.
-- Run after every migration and by every `rustbucket db upgrade`: doing so again changes nothing, new views are let in.
-- What the account running this may not do is left out; an administrator can do it, then run this again.
DO $reader$
DECLARE
    wanted CONSTANT text[] := ARRAY[
        'default_transaction_read_only=on', 'search_path=public', 'statement_timeout=30s', 'lock_timeout=5s',
        'transaction_timeout=60s', 'idle_in_transaction_session_timeout=60s', 'idle_session_timeout=10min',
        'work_mem=16MB', 'temp_file_limit=256MB', 'max_parallel_workers_per_gather=0', 'jit=off'
    ];
    known text[];
    one text;
BEGIN
    IF to_regrole('rustbucket_reader') IS NULL THEN
        BEGIN
            CREATE ROLE rustbucket_reader LOGIN NOINHERIT CONNECTION LIMIT 16;
        EXCEPTION
            WHEN insufficient_privilege THEN RETURN;
            WHEN duplicate_object OR unique_violation THEN NULL; -- another database of this server was faster
        END;
    END IF;

    -- Only what differs: two databases of one server altering a role at once would fail.
    SELECT coalesce(max(setconfig), '{}') INTO known
    FROM pg_db_role_setting
    WHERE setrole = to_regrole('rustbucket_reader') AND setdatabase = 0;
    FOREACH one IN ARRAY wanted LOOP
        IF one <> ALL (known) THEN
            BEGIN
                EXECUTE format('ALTER ROLE rustbucket_reader SET %I = %L', split_part(one, '=', 1), split_part(one, '=', 2));
            EXCEPTION
                WHEN insufficient_privilege OR undefined_object THEN NULL; -- an older server doesn't know all of them
            END;
        END IF;
    END LOOP;

    -- Functions that everybody may call, and that undo a limit, write, or stand in the pipeline's way. Taken from all,
    -- for there is no other way: so only where nobody else logs in who may need them (pg_dump calls set_config).
    FOR one IN
        SELECT oid::regprocedure::text
        FROM pg_proc
        WHERE pronamespace = 'pg_catalog'::regnamespace
            AND (proname ~ '^(set_config|pg_logical_emit_message|pg_notify|pg_(cancel|terminate)_backend|lo(read|write)|lo_.*)$'
                OR proname ~ '^pg_.*advisory.*lock')
            AND has_function_privilege('rustbucket_reader', oid, 'EXECUTE')
            AND NOT EXISTS (
                SELECT FROM pg_roles WHERE rolcanlogin AND NOT rolsuper AND rolname <> 'rustbucket_reader'
            )
    LOOP
        BEGIN
            EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', one);
        EXCEPTION
            WHEN insufficient_privilege THEN EXIT;
        END;
    END LOOP;

    BEGIN
        EXECUTE format('REVOKE CREATE, TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
        REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    EXCEPTION
        WHEN insufficient_privilege THEN NULL;
    END;

    GRANT USAGE ON SCHEMA public TO rustbucket_reader;
    FOR one IN
        SELECT oid::regclass::text
        FROM pg_class
        WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace AND relowner = to_regrole(quote_ident(current_user))
            AND NOT has_table_privilege('rustbucket_reader', oid, 'SELECT')
    LOOP
        EXECUTE format('GRANT SELECT ON %s TO rustbucket_reader', one);
    END LOOP;
END
$reader$
