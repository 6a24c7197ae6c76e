/**
 * What one package of the workspace may import. Turbo's boundaries, oxlint's overrides and ARCHITECTURE's table are
 * generated from this table.
 */
export interface Room {
  /** Our doors that `src` may import. A door other than `@p2pl/core` includes its subpaths. */
  readonly ours: readonly string[]
  /** Third-party packages that `src` may import, or `engine` for all parts of its engine. */
  readonly theirs: readonly string[] | 'engine'
  /** Our packages that only tests may import, and packages that are only carried along. Everything may use tooling. */
  readonly tests?: readonly string[]
  /** Whether `src` may use `node:*`, or which of its files may. All other files also run in browsers. */
  readonly node?: true | readonly string[]
  /** The package need not exist yet. */
  readonly planned?: true
}

const kit = ['conformance', 'layers', 'memory']
const adapters = ['memory', 'helia', 'ipfs-rpc', 'bittorrent']
const ipld = ['multiformats', '@ipld/dag-cbor', '@ipld/dag-pb']
const app = ['core', 'sync', 'layers', 'config', 'unixfs', 'room', 'replication'].map((name) => `@p2pl/${name}`)

/** By folder. `examples/*` is the row of all examples without a separate row. */
export const rooms: Readonly<Record<string, Room>> = {
  'packages/core': { ours: [], theirs: ipld },
  'packages/conformance': { ours: ['@p2pl/core/backend'], theirs: ipld },
  'packages/layers': {
    ours: ['@p2pl/core', '@p2pl/core/backend'],
    theirs: ['@opentelemetry/api'],
    tests: ['conformance', 'memory']
  },
  'packages/memory': { ours: ['@p2pl/core/backend', '@p2pl/core/content'], theirs: ipld, tests: ['conformance'] },
  'packages/simulator': {
    ours: ['@p2pl/core', '@p2pl/core/backend', '@p2pl/memory'],
    theirs: ipld,
    tests: ['conformance', 'sync']
  },
  'packages/store': { ours: ['@p2pl/core/backend'], theirs: ['abstract-level', 'level'] },
  'packages/unixfs': {
    ours: ['@p2pl/core', '@p2pl/core/backend', '@p2pl/core/content'],
    theirs: [...ipld, 'ipfs-unixfs', 'ipfs-unixfs-importer', 'ipfs-unixfs-exporter'],
    tests: ['memory'],
    node: ['node/disk.ts', 'node/from-folder.ts', 'node/leftovers.ts', 'node/to-folder.ts', 'node/write-file.ts']
  },
  'packages/room': {
    ours: ['@p2pl/core', '@p2pl/core/backend', '@p2pl/core/content'],
    theirs: [...ipld, '@noble/ciphers', '@noble/curves', '@noble/hashes', 'age-encryption', 'yjs'],
    tests: ['memory', 'simulator', 'helia', 'bittorrent']
  },
  'packages/replication': {
    ours: ['@p2pl/core', '@p2pl/core/backend'],
    theirs: ipld,
    tests: ['memory', 'simulator']
  },
  'packages/sync': {
    ours: ['@p2pl/core', '@p2pl/core/backend', '@p2pl/store'],
    theirs: ipld,
    tests: ['memory', 'simulator', 'helia']
  },
  'packages/embedded': { ours: ['@p2pl/core/backend', '@p2pl/store'], theirs: ipld, tests: kit },
  'packages/kubo': { ours: ['@p2pl/core/backend'], theirs: 'engine', node: true },
  'packages/helia': {
    ours: ['@p2pl/core/backend', '@p2pl/embedded'],
    theirs: 'engine',
    tests: kit,
    node: ['runtime/digest.node.ts', 'runtime/lanes.node.ts', 'runtime/parts.node.ts', 'runtime/silent-sockets.ts']
  },
  'packages/ipfs-rpc': { ours: ['@p2pl/core/backend', '@p2pl/kubo'], theirs: 'engine', tests: kit, node: true },
  'packages/bittorrent': {
    ours: ['@p2pl/core/backend', '@p2pl/core/content', '@p2pl/embedded'],
    theirs: 'engine',
    tests: kit,
    node: true
  },
  'packages/config': {
    ours: ['@p2pl/core', '@p2pl/layers'],
    theirs: ['fastest-levenshtein', 'valibot', 'yaml'],
    tests: adapters,
    node: true
  },
  'packages/cli': {
    ours: [...app, '@p2pl/core/backend', '@p2pl/kubo'],
    theirs: ['multiformats', 'commander'],
    tests: adapters,
    node: true
  },
  'packages/create-adapter': {
    ours: [],
    theirs: [],
    tests: ['core', 'conformance', 'embedded'],
    node: true
  },
  'apps/ledger': {
    ours: [...app, '@p2pl/core/backend', '@p2pl/cli', '@p2pl/store'],
    theirs: [
      'multiformats',
      '@ipld/car',
      '@ipld/dag-cbor',
      '@noble/hashes',
      '@opentelemetry/api',
      'commander',
      'level'
    ],
    tests: adapters,
    node: true
  },
  'apps/explorer': {
    ours: ['@p2pl/core', '@p2pl/helia', '@p2pl/ledger'],
    theirs: ['preact', '@preact/signals']
  },
  'apps/docs': {
    ours: [],
    theirs: ['typedoc', 'typedoc-plugin-markdown', 'vitepress'],
    // What its samples and the code blocks of documents use.
    tests: [
      ...kit,
      'core',
      ...adapters,
      'config',
      'embedded',
      'kubo',
      'ledger',
      'room',
      'simulator',
      'store',
      'sync',
      'replication',
      'unixfs'
    ],
    node: true
  },
  'examples/*': {
    ours: [...app, '@p2pl/memory', '@p2pl/helia', '@p2pl/bittorrent'],
    theirs: 'engine',
    tests: kit,
    node: true,
    planned: true
  },
  'examples/adapter-nats': {
    ours: ['@p2pl/core/backend', '@p2pl/embedded'],
    theirs: 'engine',
    tests: ['conformance'],
    node: true
  },
  'examples/adapter-broker': { ours: ['@p2pl/core/backend'], theirs: [], tests: kit, node: true }
}

/** The row of a folder. */
export function roomOf(folder: string): Room | undefined {
  return rooms[folder] ?? (folder.startsWith('examples/') ? rooms['examples/*'] : undefined)
}

/** The tag of a package in turbo's boundaries: its name without the scope; one tag for all of tooling. */
export function tagOf(folder: string): string {
  const [group = '', name = ''] = folder.split('/')
  if (group === 'tooling') return group
  return group === 'examples' && (name === '*' || rooms[folder] === undefined) ? group : name
}
