import { isPlainObject, type PlainObject } from './plain.ts'

/** What an application knows about its place, in words that belong to no engine. */
export interface Placement {
  /**
   * A folder for adapters that store something. Two backends get the subfolders `messages` and `data`, and the adapters of a
   * list subfolders of their names. A folder that the configuration names wins.
   */
  readonly dir?: string | undefined
  /** What stored content must survive: the end of the `process`, or also a loss of `power`. The configuration wins. */
  readonly durability?: 'process' | 'power' | undefined
  /**
   * Addresses to listen on, in the engine's form. They come from a command line, and so they win over the configuration. In a list
   * of adapters each address goes to the first one that takes its form.
   */
  readonly listen?: readonly string[] | undefined
  /**
   * Receives a sentence where content is stored less durably than this asks for, and for each of these words that a third-party
   * adapter does not take. Default: a warning of the process.
   */
  readonly onWarning?: ((message: string) => void) | undefined
}

export interface KnownAdapter {
  readonly package: string
  /** The name of the factory that the package exports. */
  readonly factory: string
  /** Whether an address to listen on is one of this engine's, where several adapters share a list. */
  readonly listensOn?: (address: string) => boolean
  /** The options with the placement worked in. Absent where the engine keeps nothing and listens nowhere. */
  readonly place?: (options: PlainObject, placement: Placement) => PlainObject
}

/** The adapters of this project, by short name. */
export const knownAdapters: Readonly<Record<string, KnownAdapter>> = {
  helia: {
    package: '@p2pl/helia',
    factory: 'helia',
    listensOn: isMultiaddr,
    place: (options, { dir, durability, listen }) => ({
      ...defined({ dir, durability: dir === undefined ? undefined : durability }),
      ...options,
      ...defined({ listen })
    })
  },
  memory: { package: '@p2pl/memory', factory: 'memory' },
  'ipfs-rpc': {
    package: '@p2pl/ipfs-rpc',
    factory: 'ipfsRpc',
    listensOn: isMultiaddr,
    // Only a daemon that the adapter manages has a place of ours.
    place: (options, { dir, listen }) =>
      isPlainObject(options['daemon'])
        ? { ...options, daemon: { ...defined({ repo: dir }), ...options['daemon'], ...defined({ listen }) } }
        : options
  },
  bittorrent: {
    package: '@p2pl/bittorrent',
    factory: 'bittorrent',
    listensOn: (address) => !isMultiaddr(address),
    place: (options, { dir, durability, listen }) => ({
      ...defined({ dir, durability: dir === undefined ? undefined : durability }),
      ...options,
      ...hostAndPort(listen?.[0])
    })
  }
}

export const defaultAdapter = 'helia'

export function knownAdapter(name: string): KnownAdapter | undefined {
  return Object.hasOwn(knownAdapters, name) ? knownAdapters[name] : undefined
}

/** The short name where the name is that of a package of this project: one adapter has one name. */
export function shortName(use: string): string {
  return Object.entries(knownAdapters).find(([, adapter]) => adapter.package === use)?.[0] ?? use
}

function isMultiaddr(address: string): boolean {
  return address.startsWith('/')
}

/** `127.0.0.1:4001` as this engine wants it; anything else is for the adapter to refuse. */
function hostAndPort(address: string | undefined): PlainObject {
  if (address === undefined) return {}
  const colon = address.lastIndexOf(':')
  return { host: address.slice(0, Math.max(colon, 0)), port: Number(address.slice(colon + 1)) }
}

function defined(values: PlainObject): PlainObject {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}
