import { fileURLToPath } from 'node:url'
import type { PeerInfo } from '@p2pl/core'
import { until } from '@p2pl/tooling-vitest'
import { type Ask, askerOf } from '@p2pl/tooling-vitest/remote'
import type { Host } from '../src/index.ts'

const program = fileURLToPath(new URL('programs/talker.ts', import.meta.url))
const port = 4_001
const listen = [`/ip4/0.0.0.0/tcp/${port}`]

/** A peer on a host of the lab that talks on a topic and records what it hears. */
export interface Talker {
  readonly host: Host
  readonly ask: Ask
}

export function startHelia(host: Host, options: object = {}): Talker {
  return start(host, 'helia', { listen, dht: false, ...options })
}

/** With its own daemon on the same host. */
export function startKubo(host: Host, repo: string, binary: string): Talker {
  return start(host, 'ipfs-rpc', { daemon: { repo, binary, listen } })
}

function start(host: Host, engine: string, options: object): Talker {
  const child = host.fork(program, [engine, JSON.stringify(options)])
  return { host, ask: askerOf(child, `the ${engine} peer on ${host.address}`) }
}

/** How others reach it, at each given address of its host. */
export async function reachable({ ask, host }: Talker, ...more: readonly string[]): Promise<PeerInfo> {
  const [self] = await ask<readonly PeerInfo[]>('self')
  if (self === undefined) throw new Error('a peer without a network')
  return { ...self, addresses: [host.address, ...more].map((ip) => `/ip4/${ip}/tcp/${port}/p2p/${self.id}`) }
}

/** Both repeat the text until the other has heard it. */
export async function talk(a: Talker, b: Talker, text: string, deadline: number): Promise<void> {
  await until(
    `"${text}" in both directions`,
    async () => {
      const [atA, atB] = await Promise.all([heard(a, text), heard(b, text)])
      await Promise.all([atB || say(a, text), atA || say(b, text)])
      return atA && atB
    },
    deadline
  )
}

/** Publishes the text. It is no error here if the publish reaches nobody or finds the queue full. */
export async function say({ ask }: Talker, text: string): Promise<void> {
  await ask('say', text).catch(() => {})
}

export async function heard({ ask }: Talker, text: string): Promise<boolean> {
  return (await ask<string[]>('heard')).includes(text)
}
