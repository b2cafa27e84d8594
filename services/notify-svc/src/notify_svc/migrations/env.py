from notify_svc.tables import metadata
from shared.migrate import run

run(metadata)
