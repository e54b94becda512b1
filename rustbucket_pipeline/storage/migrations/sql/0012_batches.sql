-- Requests to Claude that go in batches, at half the price: their hash, their batch, and what was answered.
ALTER TABLE claude_calls ADD COLUMN request_sha256 text;
ALTER TABLE claude_calls ADD COLUMN batch_id text;
ALTER TABLE claude_calls ADD COLUMN answer text;
COMMENT ON COLUMN claude_calls.request_sha256 IS 'of a request in a batch: its answer is found by it';
COMMENT ON COLUMN claude_calls.batch_id IS 'empty while it isn''t known';
COMMENT ON COLUMN claude_calls.answer IS 'the model''s text as it came, unverified; of requests in batches';
CREATE INDEX ix_claude_calls_request_sha256 ON claude_calls (request_sha256) WHERE request_sha256 IS NOT NULL;
CREATE INDEX ix_claude_calls_batch_id ON claude_calls (batch_id) WHERE batch_id IS NOT NULL;
