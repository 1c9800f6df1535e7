CREATE TABLE agents (
  id text COLLATE "C" PRIMARY KEY,
  name text COLLATE "C" NOT NULL UNIQUE,
  type text NOT NULL,
  status text NOT NULL CHECK (status IN ('healthy', 'unhealthy', 'offline', 'unknown')),
  capabilities text[] NOT NULL,
  url text,
  description text,
  last_seen_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX agents_status_name ON agents (status, name);
CREATE INDEX agents_capabilities ON agents USING gin (capabilities);

CREATE TABLE settings (
  id integer PRIMARY KEY CHECK (id = 1),
  version integer NOT NULL,
  document jsonb NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE settings_history (
  version integer PRIMARY KEY,
  document jsonb NOT NULL,
  change jsonb NOT NULL,
  changed_by text NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now()
);
