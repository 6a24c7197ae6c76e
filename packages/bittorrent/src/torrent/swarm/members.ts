import { failure } from '../../tools/failure.ts'

/** Names of private members of a carried library, and their types. */
export type Members = Readonly<Record<string, 'function' | 'object'>>

/** Members of each wire. They are overridden, so that a stranger's bytes cannot do harm outside. */
export const wireMembers: Members = {
  _onMessageLength: 'function',
  _onMessage: 'function',
  _parse: 'function',
  _onRequest: 'function',
  _onCancel: 'function',
  choke: 'function',
  ut_metadata: 'object'
}

export const metadataMembers: Members = { _checkDone: 'function', setMetadata: 'function' }

/**
 * Members of each torrent. It is given the metadata that was parsed here, asked which wire belongs to which peer, and
 * silenced after its end.
 */
export const torrentMembers: Members = { _onMetadata: 'function', _debug: 'function', _peers: 'object' }

/** Members of the client, whose own port is closed. */
export const clientMembers: Members = { _connPool: 'object' }

/**
 * Refuses a library that differs from the one that the fences were built for: without them, a stranger could end the
 * process. Throws `ENGINE`.
 */
export function needMembers(owner: object, members: Members): void {
  const has = (name: string): unknown => (owner as Readonly<Record<string, unknown>>)[name]
  const missing = Object.keys(members).filter((name) => typeof has(name) !== members[name] || has(name) === null)
  if (missing.length === 0) return
  throw failure({
    code: 'ENGINE',
    operation: 'torrents',
    message: `this build carries a version of WebTorrent that it cannot fence off (no ${missing.join(', ')}): install the released package again`
  })
}
