"""Runs the migrations on the connection that :meth:`connector_core.ledger.database.Database.upgrade` gives."""

from alembic import context

from connector_core.ledger.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
