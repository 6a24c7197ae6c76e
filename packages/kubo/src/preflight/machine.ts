import { errorMessage } from '@p2pl/core/backend'
import { execFile } from 'node:child_process'
import { statfs } from 'node:fs/promises'
import { promisify } from 'node:util'
import { findKubo } from '../daemon/find.ts'
import { lockHolder } from '../daemon/lock.ts'
import type { PreflightCheck } from './check.ts'
import { gigabyte } from './storage.ts'
import { checkVersion } from './version.ts'

const run = promisify(execFile)
const timeout = 5_000

export async function checkBinary(option: string | undefined): Promise<PreflightCheck> {
  const name = 'binary'
  try {
    const path = await findKubo(option)
    const { stdout } = await run(path, ['version', '-n'], { timeout })
    const version = checkVersion(stdout.trim())
    return { ...version, name, message: `${path}: ${version.message}` }
  } catch (error) {
    return {
      name,
      status: 'fail',
      message: errorMessage(error),
      fix: 'npm install kubo, or install Kubo so that "ipfs" is in PATH'
    }
  }
}

export async function checkRepo(repo: string): Promise<PreflightCheck> {
  const name = 'repo'
  const holder = lockHolder(repo)
  if (holder !== undefined)
    return {
      name,
      status: 'fail',
      message: `the process ${holder} uses ${repo}`,
      fix: `stop it, use it through "url", or name another daemon.repo`
    }
  const left = await diskLeft(repo)
  if (left !== undefined && left < gigabyte)
    return {
      name,
      status: 'warn',
      message: `the disk of ${repo} has ${(left / gigabyte).toFixed(2)} GB left`,
      fix: 'make room'
    }
  return { name, status: 'ok', message: `${repo} is free` }
}

/** Free bytes on the disk that has the path. */
async function diskLeft(path: string): Promise<number | undefined> {
  return await statfs(path).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => undefined
  )
}
