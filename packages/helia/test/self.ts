import type { Backend, PeerInfo } from '@p2pl/core/backend'

/** The one entry of a backend on one network. */
export function selfOf(backend: Pick<Backend, 'self'>): PeerInfo {
  const [self] = backend.self()
  if (self === undefined) throw new Error('a running backend is on a network')
  return self
}
