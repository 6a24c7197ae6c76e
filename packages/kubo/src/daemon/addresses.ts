import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { failure } from '../errors.ts'
import { makeFolder, ownFile } from './files.ts'

// The longest path of a unix socket: 104 bytes on macOS, 108 on Linux, including the final zero.
const maxSocketPath = 100

/** The path of the API socket: in the repo, or in a private folder if the path would be too long for a socket. */
export async function apiSocket(repo: string): Promise<string> {
  const near = ownFile(repo, 'api.sock')
  if (Buffer.byteLength(near) <= maxSocketPath) return near
  const folder = join(tmpdir(), `p2pl-${userInfo().uid}`)
  await makeFolder(folder)
  const { uid, mode } = statSync(folder)
  if (uid !== userInfo().uid || (mode & 0o077) !== 0)
    throw failure(
      'UNAUTHORIZED',
      'start',
      `${folder} belongs to somebody else or is open to others: remove it, or use a shorter daemon.repo`
    )
  return join(folder, `${createHash('sha256').update(repo).digest('hex').slice(0, 24)}.sock`)
}

/** A port that is currently free on loopback. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw failure('ENGINE', 'start', 'no free port')
  return address.port
}
