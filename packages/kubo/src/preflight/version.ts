import type { PreflightCheck } from './check.ts'

const oldestTested = [0, 43] as const

/** Whether a daemon is older than the oldest tested version. Returns `undefined` when the text is not a version. */
export function isOld(version: string): boolean | undefined {
  const parts = /^(\d+)\.(\d+)\./.exec(version)
  if (parts === null) return undefined
  const [major, minor] = [Number(parts[1]), Number(parts[2])]
  return major < oldestTested[0] || (major === oldestTested[0] && minor < oldestTested[1])
}

export function checkVersion(answer: unknown): PreflightCheck {
  const name = 'version'
  const version = typeof answer === 'string' ? answer : `of another kind (${typeof answer})`
  const old = typeof answer === 'string' ? isOld(version) : undefined
  if (old === undefined)
    return {
      name,
      status: 'warn',
      message: `the daemon says that it is version ${version.slice(0, 100)}: not a Kubo that we know`
    }
  if (old)
    return {
      name,
      status: 'warn',
      message: `Kubo ${version} is older than ${oldestTested.join('.')}: it is not tested, and others can exhaust its memory through pubsub topics (CVE-2026-46679)`,
      fix: 'ipfs-update install latest, or your package manager'
    }
  return { name, status: 'ok', message: `Kubo ${version}` }
}
