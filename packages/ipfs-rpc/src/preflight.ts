import { execFile } from 'node:child_process'
import { statfs } from 'node:fs/promises'
import { promisify } from 'node:util'
import { type AbortOptions, isP2plError } from '@p2pl/core/backend'
import { checkDaemonOptions } from './daemon/config.ts'
import { findKubo } from './daemon/find.ts'
import { lockHolder } from './daemon/repo.ts'
import { classify } from './errors.ts'
import { externalTarget, type IpfsRpcOptions } from './options.ts'
import type { KuboRPCClient, RepoStatResult } from 'kubo-rpc-client'
import { RpcClient } from './rpc/client.ts'
import { parseJson } from './rpc/lines.ts'
import { swarmPeers } from './rpc/screens.ts'
import type { CallKind } from './rpc/transport.ts'

const run = promisify(execFile)

export interface PreflightCheck {
  /** Stable: `daemon`, `authorization`, `version`, `pubsub`, `routing`, `dht`, `storage`, `binary`, `repo`. */
  readonly name: string
  /** `fail`: it will not work. `warn`: it works, but not as well as it could. */
  readonly status: 'ok' | 'warn' | 'fail'
  readonly message: string
  /** What to run or change. */
  readonly fix?: string | undefined
}

const oldestTested: readonly [number, number] = [0, 43]
const gigabyte = 1_000_000_000
const timeout = 5_000
const restartOnline = 'start the daemon without --offline'
const maxListBytes = 8 * 1024 * 1024

const asking: CallKind = { operation: 'preflight', lane: 'store', timeout }
const askingStorage: CallKind = { ...asking, params: { 'size-only': true } }
const askingPeers: CallKind = { ...asking, maxBytes: maxListBytes, screen: swarmPeers }

/**
 * Looks at the daemon without changing anything: what is there, what is missing, and the command that mends it. Takes the
 * options of `ipfsRpc`. Features are probed; a version alone never fails. Rejects for wrong options only.
 */
export async function preflight(options: IpfsRpcOptions & AbortOptions = {}): Promise<PreflightCheck[]> {
  const { signal, daemon, ...rest } = options
  if (daemon !== undefined) {
    checkDaemonOptions(daemon)
    return await Promise.all([checkBinary(daemon.binary), checkRepo(daemon.repo)])
  }
  const rpc = new RpcClient(timeout)
  try {
    rpc.open(externalTarget(rest))
    return await checkDaemon(new Probe(rpc, signal), options.pubsub ?? true)
  } finally {
    rpc.close()
  }
}

/** Calls whose failure is an answer. */
class Probe {
  readonly #rpc: RpcClient
  readonly #signal: AbortSignal | undefined

  constructor(rpc: RpcClient, signal: AbortSignal | undefined) {
    this.#rpc = rpc
    this.#signal = signal
  }

  async ask<T>(
    use: (kubo: KuboRPCClient, options: { signal?: AbortSignal }) => Promise<T>,
    kind: CallKind = asking
  ): Promise<T | Error> {
    try {
      return await this.#rpc.call(kind, this.#signal, use)
    } catch (error) {
      return classify(kind.operation, error, this.#signal)
    }
  }

  /** How many peers a routing table of the DHT holds. The library has no call for that. */
  async dhtPeers(table: 'lan' | 'wan'): Promise<number> {
    try {
      const call = await this.#rpc.request(asking, {
        path: 'stats/dht',
        query: new URLSearchParams({ arg: table }),
        signal: this.#signal
      })
      const { Buckets: buckets } = parseJson(asking.operation, (await call.collect(maxListBytes)).toString('utf8'))
      const lists = Array.isArray(buckets) ? (buckets as { Peers?: unknown }[]) : []
      return lists.reduce((sum, { Peers: peers }) => sum + (Array.isArray(peers) ? peers.length : 0), 0)
    } catch {
      // A daemon without a DHT has no such table.
      return 0
    }
  }
}

async function checkDaemon(probe: Probe, wantsPubsub: boolean): Promise<PreflightCheck[]> {
  const version = await probe.ask(async (kubo, options) => await kubo.version(options))
  if (version instanceof Error) {
    const { code } = classify('preflight', version)
    if (code === 'UNAUTHORIZED')
      return [
        { name: 'daemon', status: 'ok', message: 'a daemon answers' },
        {
          name: 'authorization',
          status: 'fail',
          message: version.message,
          fix: 'pass "authorization", with a secret that "ipfs config API.Authorizations" lists'
        }
      ]
    return [
      {
        name: 'daemon',
        status: 'fail',
        message: version.message,
        fix: 'start one with "ipfs daemon", correct "url", or pass "daemon" to have one started'
      }
    ]
  }
  const [topics, routing, provides, peers, lan, wan, storage, system] = await Promise.all([
    wantsPubsub ? probe.ask(async (kubo, options) => await kubo.pubsub.ls(options)) : [],
    probe.ask(async (kubo, options) => await kubo.config.get('Routing.Type', options)),
    probe.ask(async (kubo, options) => await kubo.config.get('Provide.Enabled', options)),
    probe.ask(async (kubo, options) => await kubo.swarm.peers(options), askingPeers),
    probe.dhtPeers('lan'),
    probe.dhtPeers('wan'),
    probe.ask(async (kubo, options) => await kubo.repo.stat(options), askingStorage),
    probe.ask(async (kubo, options): Promise<unknown> => await kubo.diag.sys(options))
  ])
  return [
    { name: 'daemon', status: 'ok', message: 'a daemon answers' },
    checkAuthorization([topics, peers, storage]),
    checkVersion(version.version),
    ...(wantsPubsub ? [checkPubsub(topics, isOffline(peers))] : []),
    checkRouting(routing, provides),
    checkDht(peers, lan, wan),
    checkStorage(storage, diskLeftOfDaemon(system))
  ]
}

/** A secret may open some calls only. */
function checkAuthorization(answers: readonly unknown[]): PreflightCheck {
  const name = 'authorization'
  const refused = answers.find((answer) => isP2plError(answer, 'UNAUTHORIZED'))
  if (refused === undefined) return { name, status: 'ok', message: 'the daemon takes our calls' }
  return {
    name,
    status: 'fail',
    message: `the daemon takes some of our calls only: ${refused.message}`,
    fix: 'add "/api/v0" to the AllowedPaths of this secret in "ipfs config API.Authorizations", then restart the daemon'
  }
}

function checkVersion(version: unknown): PreflightCheck {
  const name = 'version'
  const parts = typeof version === 'string' ? /^(\d+)\.(\d+)\./.exec(version) : null
  if (parts === null)
    return {
      name,
      status: 'warn',
      message: `the daemon says that its version is ${JSON.stringify(version)}: not a Kubo that we know`
    }
  const [major, minor] = [Number(parts[1]), Number(parts[2])]
  if (major < oldestTested[0] || (major === oldestTested[0] && minor < oldestTested[1]))
    return {
      name,
      status: 'warn',
      message: `Kubo ${String(version)} is older than ${oldestTested.join('.')}: not tested, and open to memory exhaustion through pubsub topics (CVE-2026-46679)`,
      fix: 'ipfs-update install latest, or your package manager'
    }
  return { name, status: 'ok', message: `Kubo ${String(version)}` }
}

function isOffline(peers: unknown): boolean {
  return peers instanceof Error && /online mode/.test(peers.message)
}

function checkPubsub(answer: readonly string[] | Error, offline: boolean): PreflightCheck {
  const name = 'pubsub'
  if (!(answer instanceof Error)) return { name, status: 'ok', message: 'pubsub is on' }
  // It says that pubsub is not enabled, which it is.
  if (offline) return { name, status: 'fail', message: 'the daemon is offline', fix: restartOnline }
  return {
    name,
    status: 'fail',
    message: `pubsub cannot be used: ${answer.message}`,
    fix: 'ipfs config --json Pubsub.Enabled true, then restart the daemon; or pass "pubsub: false" to use it for data only'
  }
}

function checkRouting(answer: unknown, provides: unknown): PreflightCheck {
  const name = 'routing'
  // Not set is the default, "auto"; a token may not be allowed to read the configuration.
  const type = typeof answer === 'string' ? answer : 'auto'
  if (type === 'none')
    return {
      name,
      status: 'warn',
      message: 'Routing.Type is "none": content can be had from connected peers only',
      fix: 'ipfs config Routing.Type auto, then restart the daemon'
    }
  if (provides === false)
    return {
      name,
      status: 'warn',
      message: `Routing.Type is "${type}", but Provide.Enabled is false: others do not find what is here`,
      fix: 'ipfs config --json Provide.Enabled true, then restart the daemon'
    }
  return { name, status: 'ok', message: `Routing.Type is "${type}"` }
}

function checkDht(peers: readonly unknown[] | Error, lan: number, wan: number): PreflightCheck {
  const name = 'dht'
  if (isOffline(peers)) return { name, status: 'warn', message: 'the daemon is offline', fix: restartOnline }
  const connected = peers instanceof Error ? 0 : peers.length
  if (connected === 0)
    return {
      name,
      status: 'warn',
      message: 'the daemon has no connected peer: nothing can be provided or found',
      fix: 'ipfs swarm connect <address of a peer>; in the public network: ipfs bootstrap add default'
    }
  if (lan + wan === 0)
    return {
      name,
      status: 'warn',
      message: `${connected} connected peers, but none that serves the DHT: nothing can be provided or found through it`,
      fix: 'ipfs swarm connect <address of a peer whose Routing.Type is "dht" or "dhtserver">'
    }
  return {
    name,
    status: 'ok',
    message: `${connected} connected peers; the DHT knows ${lan} in the local network, ${wan} in the public one`
  }
}

function checkStorage(
  answer: Pick<RepoStatResult, 'repoSize' | 'storageMax'> | Error,
  left: number | undefined
): PreflightCheck {
  const name = 'storage'
  if (answer instanceof Error)
    return { name, status: 'warn', message: `the daemon does not say how full it is: ${answer.message}` }
  const [size, max] = [Number(answer.repoSize), Number(answer.storageMax)]
  const disk = left === undefined ? '' : `, ${(left / gigabyte).toFixed(2)} GB are left on the disk`
  const used = `${(size / gigabyte).toFixed(2)} GB of ${(max / gigabyte).toFixed(2)} GB are used${disk}`
  const fix = 'ipfs repo gc, or ipfs config Datastore.StorageMax 50GB'
  if (max > 0 && size > max) return { name, status: 'fail', message: used, fix }
  if (max > 0 && size > 0.9 * max) return { name, status: 'warn', message: used, fix }
  if (left !== undefined && left < gigabyte)
    return { name, status: 'warn', message: used, fix: 'make room on the disk of the repo' }
  return { name, status: 'ok', message: used }
}

/** Bytes left on the disk of the repo, where the daemon says so. */
function diskLeftOfDaemon(system: unknown): number | undefined {
  const disk = (system as { diskinfo?: { free_space?: unknown } } | null)?.diskinfo
  return typeof disk?.free_space === 'number' ? disk.free_space : undefined
}

/** Bytes left where the repo is to be. */
async function diskLeft(path: string): Promise<number | undefined> {
  return await statfs(path).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => undefined
  )
}

async function checkBinary(option: string | undefined): Promise<PreflightCheck> {
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
      message: error instanceof Error ? error.message : String(error),
      fix: 'npm install kubo, or install Kubo so that "ipfs" is in PATH'
    }
  }
}

async function checkRepo(repo: string): Promise<PreflightCheck> {
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
