import { isPlainObject, type PlainObject } from './plain.ts'

/** What an application knows about its environment, in terms that do not depend on the engine. */
export interface Placement {
  /**
   * A folder for adapters that store something. With two backends, each gets a subfolder, `messages` and `data`. With a
   * list, each adapter gets a subfolder under its name. A folder in the configuration takes precedence.
   */
  readonly dir?: string | undefined
  /**
   * What stored content must survive: the end of the `process`, or a loss of `power` as well. The configuration takes
   * precedence.
   */
  readonly durability?: 'process' | 'power' | undefined
  /**
   * Addresses to listen on, in the engine's form. They come from a command line, so they take precedence over the
   * configuration. In a list of adapters each address goes to the first adapter that accepts its form.
   */
  readonly listen?: readonly string[] | undefined
  /**
   * Receives a sentence if content is stored less durably than requested here, and for each of these settings that a
   * third-party adapter does not accept. Default: a warning of the process.
   */
  readonly onWarning?: ((message: string) => void) | undefined
}

export interface KnownAdapter {
  readonly package: string
  /** The name of the factory that the package exports. */
  readonly factory: string
  /** Whether an address to listen on belongs to this engine, if several adapters share a list. */
  readonly listensOn?: (address: string) => boolean
  /** The options, with the placement included. Absent if the engine stores nothing and listens nowhere. */
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
    // The placement applies only to a daemon that the adapter manages.
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

/** The short name, if the given name is a package of this project, so that each adapter has only one name. */
export function shortName(use: string): string {
  return Object.entries(knownAdapters).find(([, adapter]) => adapter.package === use)?.[0] ?? use
}

function isMultiaddr(address: string): boolean {
  return address.startsWith('/')
}

/** `127.0.0.1:4001` in the form of this engine. The adapter refuses anything else. */
function hostAndPort(address: string | undefined): PlainObject {
  if (address === undefined) return {}
  const colon = address.lastIndexOf(':')
  return { host: address.slice(0, Math.max(colon, 0)), port: Number(address.slice(colon + 1)) }
}

function defined(values: PlainObject): PlainObject {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}
