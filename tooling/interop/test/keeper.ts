import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { PeerInfo } from '@p2pl/core'

const script = fileURLToPath(new URL('keeper.process.ts', import.meta.url))

/** One peer that keeps content, over an engine in a process of its own. */
export interface Keeper {
  readonly id: string
  readonly self: readonly PeerInfo[]
  /** Kills the engine without a word to anybody. */
  kill(this: void): Promise<unknown>
  stopAndGo(this: void, signal: 'SIGSTOP' | 'SIGCONT'): void
}

/**
 * Starts a helia peer in a process of its own that keeps content for a peer.
 * @param onBlock - Told how many blocks it has fetched so far.
 */
export async function startHeliaKeeper(
  dir: string,
  keep: { readonly peers: readonly string[]; readonly maxBytes: number },
  onBlock: (blocks: number) => void
): Promise<Keeper> {
  const child: ChildProcess = fork(script, [dir, JSON.stringify(keep)], {
    execArgv: ['-C', '@p2pl/source'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc']
  })
  const ready = Promise.withResolvers<{ id: string; self: PeerInfo[] }>()
  child.on('message', (message: { id: string; self: PeerInfo[] } | { blocks: number }) => {
    if ('blocks' in message) onBlock(message.blocks)
    else ready.resolve(message)
  })
  child.on('exit', () => {
    ready.reject(new Error('the keeper has ended'))
  })
  return {
    ...(await ready.promise),
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
    stopAndGo: (signal) => child.kill(signal)
  }
}
