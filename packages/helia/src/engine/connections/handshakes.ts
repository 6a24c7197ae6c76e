import type { MultiaddrConnection } from '@libp2p/interface'

/**
 * Incoming connections whose handshake is in progress. At its limit the engine refuses newcomers, so idle sockets could
 * keep all others out. Here the oldest connection of the host with the most of them makes room instead.
 */
export class Handshakes {
  readonly #max: number
  /** In order of arrival. */
  readonly #pending = new Set<MultiaddrConnection>()

  constructor(max: number) {
    this.#max = max
  }

  begin(connection: MultiaddrConnection): void {
    if (this.#pending.size >= this.#max) this.#leastEntitled()?.abort(new Error('others want to connect'))
    this.#pending.add(connection)
    connection.addEventListener('close', () => this.end(connection))
  }

  end(connection: MultiaddrConnection): void {
    this.#pending.delete(connection)
  }

  #leastEntitled(): MultiaddrConnection | undefined {
    const byHost = Map.groupBy(this.#pending, hostOf)
    const most = Math.max(...[...byHost.values()].map(({ length }) => length))
    return [...byHost.values()].find(({ length }) => length === most)?.[0]
  }
}

function hostOf({ remoteAddr }: MultiaddrConnection): string {
  return remoteAddr.getComponents()[0]?.value ?? ''
}
