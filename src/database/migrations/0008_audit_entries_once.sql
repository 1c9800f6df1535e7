-- An entry has a number that its instance gave it: one that is written again, because nobody knows whether it was, is there once.
ALTER TABLE audit_log ADD COLUMN entry_id uuid;
CREATE UNIQUE INDEX audit_log_entry ON audit_log (entry_id);
