export interface KnownAdapter {
  readonly package: string
  /** The name of the factory that the package exports. */
  readonly factory: string
}

/** The adapters of this project, by short name. */
export const knownAdapters: Readonly<Record<string, KnownAdapter>> = {
  helia: { package: '@p2pl/helia', factory: 'helia' },
  memory: { package: '@p2pl/memory', factory: 'memory' },
  'ipfs-rpc': { package: '@p2pl/ipfs-rpc', factory: 'ipfsRpc' },
  bittorrent: { package: '@p2pl/bittorrent', factory: 'bittorrent' }
}

export const defaultAdapter = 'helia'

export function knownAdapter(name: string): KnownAdapter | undefined {
  return Object.hasOwn(knownAdapters, name) ? knownAdapters[name] : undefined
}
