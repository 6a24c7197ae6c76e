import type { Backend } from '@p2pl/core'

export type BackendName = 'helia' | 'bittorrent' | 'ipfs-rpc'

export interface BackendOptions {
  readonly backend: BackendName
  /** The folder for a daemon's data. */
  readonly folder: string
}

/** A backend for peers on loopback, loaded on demand. `ipfs-rpc` starts a Kubo daemon as a child of this process. */
export function openBackend({ backend, folder }: BackendOptions): Promise<Backend> {
  return backends[backend](folder)
}

const backends: Readonly<Record<BackendName, (folder: string) => Promise<Backend>>> = {
  helia: async () => (await import('@p2pl/helia')).helia(),
  bittorrent: async () => (await import('@p2pl/bittorrent')).bittorrent(),
  'ipfs-rpc': async (folder) => {
    const { startTestDaemon } = await import('@p2pl/tooling-kubo')
    const { url } = await startTestDaemon({ repo: folder })
    return (await import('@p2pl/ipfs-rpc')).ipfsRpc({ url })
  }
}
