"""The tables. `seq` gives every list a total order where seconds tie.

An event's key is its type and step ("metrics:12") or, for messages, what it tells ("message:queued"): unique
per job, so that a step repeated after a crash adds nothing.
"""

TABLES = """
create table if not exists files(
    seq integer primary key autoincrement, id text unique not null, tenant text not null,
    filename text not null, bytes integer not null, purpose text not null,
    created_at integer not null, expires_at integer,
    sha256 text not null, format text, n_examples integer);

create table if not exists jobs(
    seq integer primary key autoincrement, id text unique not null, tenant text not null,
    model text not null, status text not null, created_at integer not null,
    started_at real, finished_at integer, estimated_finish integer,
    training_file text not null, validation_file text, suffix text, seed integer not null,
    method text not null, hyperparameters text not null, metadata text, integrations text,
    fine_tuned_model text, result_files text not null default '[]', trained_tokens integer, error text,
    priority integer not null default 0, worker text, attempts integer not null default 0);
create table if not exists job_metadata(job text not null, key text not null, value text not null, unique(job, key));
create index if not exists jobs_by_status on jobs(status, tenant);

create table if not exists events(
    seq integer primary key autoincrement, id text unique not null, job text not null, key text not null,
    created_at integer not null, level text not null, type text not null, message text not null, data text,
    unique(job, key));

create table if not exists checkpoints(
    seq integer primary key autoincrement, id text unique not null, job text not null, step integer not null,
    created_at integer not null, model text not null, metrics text not null, unique(job, step));

create table if not exists models(
    seq integer primary key autoincrement, name text unique not null, tenant text not null, kind text not null,
    base text, path text not null, job text, step integer, n_params integer not null,
    hidden_size integer not null, context_length integer not null,
    created_at integer not null);

create table if not exists keys(
    seq integer primary key autoincrement, id text unique not null, name text not null, tenant text not null,
    digest text unique not null, created_at integer not null, revoked_at integer);
"""
