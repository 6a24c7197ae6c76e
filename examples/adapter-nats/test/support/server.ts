import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Server {
  readonly port: number
  readonly url: string
  /** As a crash does it. The data stays. */
  kill(): Promise<void>
  /** Starts it again on the same port, over the same data. */
  restart(): Promise<void>
  stop(): Promise<void>
}

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** A real server on loopback: `nats-server` of the PATH, or the one that `NATS_SERVER` names. `config`: in its own language. */
export async function startServer(config = 'jetstream {}'): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'nats-'))
  const file = join(folder, 'server.conf')
  const port = await freePort()
  writeFileSync(file, config)
  const launch = async (): Promise<ChildProcess> => {
    const args = ['--config', file, '--addr', '127.0.0.1', '--port', String(port), '--store_dir', join(folder, 'data')]
    const child = spawn(process.env['NATS_SERVER'] ?? 'nats-server', args, { stdio: ['ignore', 'ignore', 'pipe'] })
    running.add(child)
    child.once('exit', () => running.delete(child))
    let log = ''
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code) => reject(new Error(`nats-server ended with ${code}:\n${log}`)))
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        log = (log + text).slice(-8000)
        if (log.includes('Server is ready')) resolve()
      })
    })
    return child
  }
  const end = async (child: ChildProcess, signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }
  let child = await launch()
  return {
    port,
    url: `nats://127.0.0.1:${port}`,
    kill: async () => await end(child, 'SIGKILL'),
    restart: async () => {
      child = await launch()
    },
    stop: async () => {
      await end(child, 'SIGKILL')
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
    }
  }
}

/**
 * Not the server's own choice: a restarted server must be found where it was. Nor one of the ports that the system gives to everybody
 * who asks for any (from 32768 on Linux): a connection of another program could have it before the server is back.
 */
async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer()
    const listening = once(server, 'listening').catch(() => undefined)
    server.listen(12_000 + Math.floor(Math.random() * 20_000), '127.0.0.1')
    if ((await listening) === undefined) continue
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    return port
  }
}
