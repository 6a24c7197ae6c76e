import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { LedgerError } from '../errors.ts'
import { branches } from './accounts.ts'
import { backendFor } from './options.ts'

const tool = fileURLToPath(new URL('../../../../tooling/kubo/src/main.ts', import.meta.url))

/** The environment variables of peers that need a daemon. Each of these peers gets its own daemon, in its folder. */
export interface Daemons {
  envFor(backend: string, folder: string): Record<string, string>
}

/** Finds the daemon, or has it built (once, a few minutes), if a peer of the demonstration needs it. */
export async function prepareDaemons(backend: string): Promise<Daemons> {
  if (!branches.some((name) => needsDaemon(backendFor(backend, name)))) return { envFor: () => ({}) }
  const binary = process.env['KUBO_BINARY'] ?? (await build())
  return {
    envFor: (ofPeer, folder) => {
      if (ofPeer !== 'helia' && !needsDaemon(ofPeer)) return {}
      const [messages = '', data] = ofPeer.split('+')
      const setting = (names: string): string =>
        JSON.stringify(names.split(',').map((use) => ({ use, options: optionsOf(use, `${folder}/content`, binary) })))
      return data === undefined
        ? { P2PL_BACKEND: setting(messages) }
        : { P2PL_MESSAGES: setting(messages), P2PL_DATA: setting(data) }
    }
  }
}

function optionsOf(use: string, repo: string, binary: string): object {
  // Daemons drop messages that come faster. A peer of another engine in the same network has to keep that distance too.
  if (use === 'helia') return { gossip: { pacing: 10 } }
  return use === 'ipfs-rpc' ? { daemon: { repo, profile: 'closed', binary } } : {}
}

function needsDaemon(backend: string): boolean {
  return backend.split(/[+,]/).includes('ipfs-rpc')
}

async function build(): Promise<string> {
  const child = spawn(process.execPath, ['-C', '@p2pl/source', tool], { stdio: ['ignore', 'pipe', 'inherit'] })
  let path = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (path += chunk))
  const [code] = (await once(child, 'close')) as unknown[]
  if (code === 0) return path.trim()
  throw new LedgerError(
    'UNAVAILABLE',
    'there is no Kubo daemon: set KUBO_BINARY to an ipfs binary, or install Go so that one can be built'
  )
}
