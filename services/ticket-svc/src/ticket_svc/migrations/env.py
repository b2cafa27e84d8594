from shared.migrate import run
from ticket_svc.tables import metadata

run(metadata)
