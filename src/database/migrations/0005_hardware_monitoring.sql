-- One row for each tick of a host: of the instances that run there, the first one writes it.
CREATE TABLE hardware_samples (
  host text COLLATE "C" NOT NULL,
  -- Beginning of the tick in seconds since 1970.
  tick bigint NOT NULL,
  cpu_percent double precision,
  load_per_core double precision,
  memory_percent double precision,
  swap_percent double precision,
  disk_percent double precision,
  PRIMARY KEY (host, tick)
);

-- What is too old is found across hosts: those that are gone leave rows behind too.
CREATE INDEX hardware_samples_tick ON hardware_samples (tick);

CREATE TABLE hardware_alerts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  host text COLLATE "C" NOT NULL,
  resource text NOT NULL CHECK (resource IN ('cpu', 'load', 'memory', 'swap', 'disk')),
  raised_at timestamptz NOT NULL,
  raised_value double precision NOT NULL,
  raise_threshold double precision NOT NULL,
  clear_threshold double precision NOT NULL,
  samples integer NOT NULL,
  cleared_at timestamptz,
  cleared_value double precision,
  acknowledged_at timestamptz,
  acknowledged_by text
);

-- One open alert for a resource of a host, whoever raises it.
CREATE UNIQUE INDEX hardware_alerts_open ON hardware_alerts (host, resource) WHERE cleared_at IS NULL;
CREATE INDEX hardware_alerts_host ON hardware_alerts (host, id);

CREATE TABLE hardware_monitoring (
  id integer PRIMARY KEY CHECK (id = 1),
  document jsonb NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  updated_by text NOT NULL
);
