import type { P2plError } from '@p2pl/core/backend'
import type { PreflightCheck } from './check.ts'
import { listOf, type Probe } from './probe.ts'
import { checkStorage } from './storage.ts'
import { checkVersion } from './version.ts'

type Answered = Record<string, unknown> | P2plError

const restartOnline = 'start the daemon without --offline'

/** `usesPubsub`: whether topics are wanted. */
export async function checkDaemon(probe: Probe, usesPubsub: boolean): Promise<PreflightCheck[]> {
  const version = await probe.ask('version')
  if (version instanceof Error) return checkUnusable(version)
  const [topics, routing, provides, peers, lan, wan, storage, system] = await Promise.all([
    usesPubsub ? probe.ask('pubsub/ls') : {},
    probe.setting('Routing.Type'),
    probe.setting('Provide.Enabled'),
    probe.ask('swarm/peers'),
    probe.dhtPeers('lan'),
    probe.dhtPeers('wan'),
    // Then the daemon does not count blocks, which takes minutes in a large store.
    probe.ask('repo/stat', { 'size-only': 'true' }),
    probe.ask('diag/sys')
  ])
  return [
    { name: 'daemon', status: 'ok', message: 'a daemon answers' },
    checkAuthorization([topics, peers, storage]),
    checkVersion(version['Version']),
    ...(usesPubsub ? [checkPubsub(topics, isOffline(peers))] : []),
    checkRouting(routing, provides),
    checkDht(peers, lan, wan),
    checkStorage(storage, system)
  ]
}

function checkUnusable(error: P2plError): PreflightCheck[] {
  if (error.code === 'UNAUTHORIZED')
    return [
      { name: 'daemon', status: 'ok', message: 'a daemon answers' },
      {
        name: 'authorization',
        status: 'fail',
        message: error.message,
        fix: 'pass "authorization", with a secret that "ipfs config API.Authorizations" lists'
      }
    ]
  return [
    {
      name: 'daemon',
      status: 'fail',
      message: error.message,
      fix: 'start one with "ipfs daemon", correct "url", or pass "daemon" to have one started'
    }
  ]
}

/** A secret may permit only some calls. */
function checkAuthorization(answers: readonly Answered[]): PreflightCheck {
  const name = 'authorization'
  const refused = answers.filter((answer) => answer instanceof Error).find((error) => error.code === 'UNAUTHORIZED')
  if (refused === undefined) return { name, status: 'ok', message: 'the daemon takes our calls' }
  return {
    name,
    status: 'fail',
    message: `the daemon takes some of our calls only: ${refused.message}`,
    fix: 'add "/api/v0" to the AllowedPaths of this secret in "ipfs config API.Authorizations", then restart the daemon'
  }
}

function isOffline(peers: Answered): boolean {
  return peers instanceof Error && /online mode/.test(peers.message)
}

function checkPubsub(topics: Answered, offline: boolean): PreflightCheck {
  const name = 'pubsub'
  if (!(topics instanceof Error)) return { name, status: 'ok', message: 'pubsub is on' }
  // An offline daemon reports that pubsub is not enabled, even if it is.
  if (offline) return { name, status: 'fail', message: 'the daemon is offline', fix: restartOnline }
  return {
    name,
    status: 'fail',
    message: `pubsub cannot be used: ${topics.message}`,
    fix: 'ipfs config --json Pubsub.Enabled true, then restart the daemon; or pass "pubsub: false" to use it for data only'
  }
}

function checkRouting(answer: unknown, provides: unknown): PreflightCheck {
  const name = 'routing'
  // If it is not set, the default is "auto". A token may not be allowed to read the configuration.
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

function checkDht(peers: Answered, lan: number, wan: number): PreflightCheck {
  const name = 'dht'
  if (isOffline(peers)) return { name, status: 'warn', message: 'the daemon is offline', fix: restartOnline }
  const connected = peers instanceof Error ? 0 : listOf(peers['Peers']).length
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
