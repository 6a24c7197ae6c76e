import type { MultiaddrConnection } from '@libp2p/interface'

/**
 * Incoming connections whose handshake is not over. The engine refuses newcomers while it has as many as it bears, so that
 * idle sockets would keep everybody out. Here the oldest one of the host with the most makes room.
 */
export class Handshakes {
  readonly #max: number
  /** In the order in which they came. */
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
