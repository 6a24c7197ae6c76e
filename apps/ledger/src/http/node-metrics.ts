import process from 'node:process'
import type { Metric } from '@p2pl/layers/prometheus'
import type { StatusView } from '../service/views.ts'

/** Metrics from the status of a node and from its process. */
export function nodeMetrics(status: StatusView): Metric[] {
  const { rss } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  const { backend, network, genesis } = status
  return [
    gauge('info', 'Which ledger this is, and on what network.', 1, { backend, network, genesis }),
    gauge('entries', 'Entries in the ledger.', status.entries),
    gauge('entries_rejected', 'Entries that the rules reject.', status.rejected),
    gauge('entries_missing', 'Entries that others name and that are not here yet.', status.missing),
    gauge('entries_pending', 'Entries here that wait for their parents.', status.pending),
    gauge('entries_quarantined', 'Entries that were looked for in vain.', status.quarantined),
    gauge('entries_damaged', 'Entries that were damaged on disk and are not whole again.', status.damaged),
    gauge('documents', 'Documents that entries name and this node keeps.', status.documents.known),
    gauge('documents_kept', 'Documents that this node has a copy of.', status.documents.kept),
    gauge('connections', 'Direct connections of the engine.', status.connections),
    gauge('peers_agreeing', 'Peers whose last word was the same root.', status.agreeing.length),
    gauge('peers_diverging', 'Peers whose last word was another root.', status.diverging.length),
    gauge('process_resident_memory_bytes', 'Memory of the process.', rss),
    gauge('process_uptime_seconds', 'How long the process runs.', process.uptime()),
    { ...gauge('process_cpu_seconds_total', 'Processor time.', (user + system) / 1e6), type: 'counter' }
  ]
}

function gauge(name: string, help: string, value: number, labels: Readonly<Record<string, string>> = {}): Metric {
  return { name: `p2pl_ledger_${name}`, type: 'gauge', help, samples: [{ labels, value }] }
}
