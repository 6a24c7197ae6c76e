import { failure } from '../errors.ts'

/** The fields of a `PinStatus` object that are used. */
export interface PinStatus {
  readonly requestId: string
  readonly status: 'queued' | 'pinning' | 'pinned' | 'failed'
  /** The service's description of a failure. */
  readonly details: string
}

const statuses: ReadonlySet<unknown> = new Set(['queued', 'pinning', 'pinned', 'failed'])

/** A `PinStatus`. Throws `PROTOCOL` for anything else. */
export function parseStatus(value: unknown): PinStatus {
  const { requestid, status, info } = (value ?? {}) as { requestid?: unknown; status?: unknown; info?: unknown }
  if (typeof requestid !== 'string' || requestid === '' || requestid.length > 1_024 || !statuses.has(status)) {
    throw failure('PROTOCOL', 'replication', 'the pinning service answered with something that is no PinStatus')
  }
  const { status_details: details } = (info ?? {}) as { status_details?: unknown }
  return {
    requestId: requestid,
    status: status as PinStatus['status'],
    details: typeof details === 'string' ? details.slice(0, 200) : 'it does not say why'
  }
}

/** A `PinResults`. Throws `PROTOCOL` for anything else. */
export function parsePins(value: unknown): PinStatus[] {
  const { results } = (value ?? {}) as { results?: unknown }
  if (Array.isArray(results)) return results.map(parseStatus)
  throw failure('PROTOCOL', 'replication', 'the pinning service answered with something that is no list of pins')
}
