import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { firstSample } from '@p2pl/tooling-vitest'
import { root } from '../src/tree.ts'

export interface Sample {
  readonly code: string
  readonly prints: string | RegExp
  /** Arguments of Node before the file. */
  readonly args?: readonly string[]
}

const readme = (name: string): URL => new URL(`file://${join(root, 'packages', name, 'README.md')}`)
const sample = (name: string): string => firstSample(readme(name))
/** A JavaScript sample and its output. */
const program = (name: string): Sample => {
  const [, prints = ''] = /^```text\n(.*?)^```/ms.exec(readFileSync(readme(name), 'utf8')) ?? []
  return { code: firstSample(readme(name), 'js'), prints }
}
const hello = 'bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq'

/** The first sample of each README, and its output. */
export const samples: Readonly<Record<string, Sample>> = {
  bittorrent: { code: sample('bittorrent'), prints: new RegExp(`^${hello}\nmagnet:\\?xt=urn:btih:`) },
  config: { code: sample('config'), prints: /^memory memory \S+\n$/ },
  conformance: {
    code: sample('conformance').replace("from 'vitest'", "from 'node:test'"),
    prints: /^# fail 0$/m,
    args: ['--test', '--test-reporter=tap']
  },
  core: { code: sample('core'), prints: "true { from: 'e2', to: 'e4' }\n3000000\n" },
  // A fragment of an adapter. This checks that its imports from the package exist.
  embedded: { code: `${imports(sample('embedded'))}\nconsole.log(typeof openTables)`, prints: 'function\n' },
  // A peer that keeps running.
  helia: { code: `${sample('helia')}\nconsole.log(peer.network.self().length)\nawait peer.stop()`, prints: '1\n' },
  layers: { code: sample('layers'), prints: /calls: 1/ },
  memory: program('memory'),
  replication: { code: sample('replication'), prints: '2 copies, at Ben: true at Cleo: true\n' },
  room: { code: sample('room'), prints: /Ann: who has a drill\?/ },
  simulator: program('simulator'),
  store: { code: sample('store'), prints: 'hello\n' },
  sync: { code: sample('sync'), prints: /^1 \S+ bafy\S+\n$/ },
  unixfs: { code: sample('unixfs'), prints: /file readme\.txt 5\nhello\n$/ }
}

/** Samples that need an IPFS daemon. */
export const samplesWithDaemon: Readonly<Record<string, Sample>> = {
  'ipfs-rpc': { code: sample('ipfs-rpc'), prints: `${hello}\n` },
  kubo: { code: sample('kubo'), prints: /^12D3KooW\w+$/m }
}

/** READMEs with commands instead of code: the first three, which store a file and read it. */
export const commands: Readonly<Record<string, Sample>> = {
  cli: {
    code: (/run in the tests -->\s+```sh\n((?:.*\n){3})/.exec(readFileSync(readme('cli'), 'utf8')) ?? [])[1] ?? '',
    prints: /greeting\.txt\nhello\n$/
  }
}

/** Another test follows these READMEs. */
export const elsewhere: readonly string[] = ['create-adapter']

function imports(code: string): string {
  return code
    .split('\n')
    .filter((line) => line.startsWith('import '))
    .join('\n')
}
