import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { temporaryFolder } from '@p2pl/tooling-vitest'
import { expect, it, vi } from 'vitest'
import { listenAddresses } from '../src/demo/options.ts'
import { runCommandLine } from '../src/cli/program.ts'

it.each(['helia', 'bittorrent'])('run on %s names a taken port, and does not blame the folder', async (backend) => {
  const dir = join(temporaryFolder(), 'node')
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  let said = ''
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((chunk) => {
      said += Buffer.from(chunk as Uint8Array).toString()
      return true
    })
  )
  try {
    const { signal } = new AbortController()
    expect(await runCommandLine(['--dir', dir, 'init'], signal)).toBe(0)
    said = ''
    const listen = listenAddresses(backend, port)
    expect(await runCommandLine(['--dir', dir, '--backend', backend, 'run', '--listen', ...listen], signal)).toBe(1)
  } finally {
    for (const spy of spies) spy.mockRestore()
    server.close()
  }
  expect(said).toContain(String(port))
  expect(said).not.toContain('another process uses')
})
