-- What a fresh installation was given once: it is not given again, however empty the table has become.
CREATE TABLE seeds (
  name text PRIMARY KEY,
  planted_at timestamptz NOT NULL DEFAULT now()
);
