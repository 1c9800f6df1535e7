CREATE TABLE hardware_tasks (
  id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('benchmark', 'optimize')),
  host text NOT NULL,
  owner uuid NOT NULL,
  status text NOT NULL CHECK (status IN ('queued', 'running', 'done', 'failed', 'cancelled', 'interrupted')),
  progress double precision NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 1),
  parameters jsonb NOT NULL,
  result jsonb,
  error text,
  cancel_requested boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  finished_at timestamptz,
  heartbeat_at timestamptz NOT NULL DEFAULT now()
);

-- One at a time on each host, whichever instance is asked.
CREATE UNIQUE INDEX hardware_tasks_one_at_a_time ON hardware_tasks (host) WHERE status IN ('queued', 'running');
CREATE INDEX hardware_tasks_latest ON hardware_tasks (kind, created_at DESC, id);
