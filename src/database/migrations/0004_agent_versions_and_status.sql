-- Versions come from one sequence: an id that is removed and made again does not begin with a version that somebody holds.
CREATE SEQUENCE agent_versions;

ALTER TABLE agents
  ADD COLUMN version bigint NOT NULL DEFAULT nextval('agent_versions'),
  -- What the agent said of itself in its last heartbeat.
  ADD COLUMN reported_status text CHECK (reported_status IN ('healthy', 'unhealthy')),
  -- What the last probe of its URL found.
  ADD COLUMN probe_result text CHECK (probe_result IN ('healthy', 'unhealthy', 'unreachable'));

ALTER SEQUENCE agent_versions OWNED BY agents.version;

-- Apart from the agents, so that no query of theirs, and no cache of one, holds a digest.
CREATE TABLE agent_tokens (
  agent_id text COLLATE "C" PRIMARY KEY REFERENCES agents (id) ON DELETE CASCADE,
  sha256 text COLLATE "C" NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  created_at timestamptz NOT NULL DEFAULT now()
);

-- There is no index on last_seen_at: every heartbeat writes it, and without one that touches no index at all.
