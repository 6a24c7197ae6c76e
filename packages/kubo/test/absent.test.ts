import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, temporaryFolder } from '@p2pl/tooling-vitest'
import { expect, it } from 'vitest'
import { Kubo } from '../src/index.ts'

const folder = temporaryFolder('p2pl-absent-')

it('an address without a daemon is named, with what to do', async () => {
  const url = `http://127.0.0.1:${await freePort()}`
  const error: unknown = await new Kubo({ url: `${url}/s3cret` }).start().catch((cause: unknown) => cause)
  expect(error).toMatchObject({ code: 'UNREACHABLE', retryable: true })
  const { message } = error as Error
  for (const part of [`at ${url} `, 'ECONNREFUSED', '"ipfs daemon"', 'daemon: { repo:']) expect(message).toContain(part)
  expect(message).not.toContain('s3cret')
})

it('a socket without a daemon is named', async () => {
  const path = join(folder, 'api.sock')
  await expect(new Kubo({ url: `/unix${path}` }).start()).rejects.toMatchObject({
    code: 'UNREACHABLE',
    message: expect.stringContaining(`at ${path} `) as string
  })
})

it.each(['/bin/true', '/bin/echo'])('%s is no Kubo', async (binary) => {
  const repo = join(folder, 'repo')
  await expect(new Kubo({ daemon: { repo, binary } }).start()).rejects.toMatchObject({
    code: 'MISSING_DEPENDENCY',
    message: expect.stringContaining(`"${binary}" is no Kubo`) as string
  })
  expect(existsSync(join(repo, 'config'))).toBe(false)
})
