import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { PeerInfo } from '@p2pl/core'

const script = fileURLToPath(new URL('keeper.process.ts', import.meta.url))

/** A peer that keeps content, with an engine in a separate process. */
export interface Keeper {
  readonly id: string
  readonly self: readonly PeerInfo[]
  /** Kills the engine without warning. */
  kill(this: void): Promise<unknown>
  stopAndGo(this: void, signal: 'SIGSTOP' | 'SIGCONT'): void
}

/**
 * Starts a helia peer that keeps content for another peer, in a separate process.
 * @param onBlock - Called with the number of blocks fetched so far.
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
