import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { isP2plError, P2plError, type Backend } from '@p2pl/core'
import { compose, type LegControl } from '@p2pl/layers'
import { failover } from '@p2pl/layers/failover'
import { timeout } from '@p2pl/layers/timeout'
import { retry } from '@p2pl/layers/retry'
import { knownAdapter, type Placement } from './adapters.ts'
import { warn, wrong } from './errors.ts'
import { type Factory, loadAdapter, shown } from './load-adapter.ts'
import { meantAdapter } from './nearest.ts'
import { lossOf, untaken } from './shortcomings.ts'
import { placeThirdParty } from './third-party.ts'
import type { BackendChoice, Config } from './types.ts'

/** The backends, as options of `createPeer`. */
export type Backends = { readonly backend: Backend } | { readonly messages: Backend; readonly data: Backend }

/**
 * Loads only the adapters that the configuration names, and makes unstarted backends with the layers that it asks for.
 * Equal choices for messages and data give one backend. The placement reaches each adapter that accepts it, and `onWarning`
 * reports each part of it that an adapter does not.
 *
 * @throws `MISSING_DEPENDENCY` when an adapter is not installed; for an adapter of this project the error includes the
 * command. `INVALID_ARGUMENT` when a module is not an adapter. Any error that an adapter throws when it refuses its
 * options.
 */
export async function createBackends(config: Config, placement: Placement = {}): Promise<Backends> {
  checkConfig(config)
  const { messages, data } = config
  if (isDeepStrictEqual(messages, data)) return { backend: await createChosen(messages, config, placement, true) }
  const part = (name: string): Placement =>
    placement.dir === undefined ? placement : { ...placement, dir: join(placement.dir, name) }
  return {
    messages: await createChosen(messages, config, part('messages'), false),
    data: await createChosen(data, config, part('data'), true)
  }
}

function checkConfig(config: Config): void {
  const { messages, data, directory } = (config ?? {}) as Partial<Config>
  if ([messages, data].every(isChoice) && typeof directory === 'string') return
  throw wrong(
    'createBackends takes what loadConfig gives: createBackends(await loadConfig({ overrides: { backend: "helia" } }))',
    'createBackends'
  )
}

function isChoice(choice: Partial<BackendChoice> | undefined): boolean {
  return typeof choice?.use === 'string' && typeof choice.options === 'object'
}

/** The adapters of each list, for the operators of the application. Those of two lists are named `messages/helia`, `data/helia`. */
export function legsOf(backends: Backends): readonly LegControl[] {
  return Object.entries(backends).flatMap(([part, backend]: [string, Backend & { legs?: readonly LegControl[] }]) =>
    (backend.legs ?? []).map((leg) => (part === 'backend' ? leg : withName(leg, `${part}/${leg.name}`)))
  )
}

function withName(leg: LegControl, name: string): LegControl {
  return Object.create(leg, { name: { value: name, enumerable: true } }) as LegControl
}

/** One adapter, or the failover of several, with retries around the whole. */
async function createChosen(
  choice: BackendChoice,
  config: Config,
  placement: Placement,
  stores: boolean
): Promise<Backend> {
  const { fallbacks = [] } = choice
  const legs = [choice, ...fallbacks]
  const places = fallbacks.length === 0 ? [placement] : placeLegs(legs, placement)
  const backends: Backend[] = []
  for (const [index, leg] of legs.entries())
    backends.push(await createBackend(leg, config, places[index] ?? {}, stores))
  const [first] = backends as [Backend]
  const backend = fallbacks.length === 0 ? first : failover(backends)
  return config.retry === undefined ? backend : compose(backend, retry(config.retry))
}

/** Gives each adapter of a list its own folder, and the addresses that have its form. */
function placeLegs(legs: readonly BackendChoice[], placement: Placement): readonly Placement[] {
  const free = new Set(placement.listen)
  const folders = new Set<string>()
  const places = legs.map(({ use }, index) => {
    const name = use.replaceAll(/[^a-z0-9]+/gi, '-').slice(-40)
    const folder = folders.has(name) ? `${name}-${index + 1}` : name
    folders.add(folder)
    const listen = [...free].filter(
      (address) => knownAdapter(use)?.listensOn?.(address) ?? knownAdapter(use) === undefined
    )
    for (const address of listen) free.delete(address)
    const dir = placement.dir === undefined ? undefined : join(placement.dir, folder)
    return { ...placement, dir, listen: listen.length === 0 ? undefined : listen }
  })
  const [address] = free
  if (address === undefined) return places
  const names = legs.map(({ use }) => shown(use)).join(', ')
  throw wrong(
    `no adapter among ${names} listens on ${JSON.stringify(address)}: give each address in the form of its engine`,
    'createBackends'
  )
}

async function createBackend(
  { use, options }: BackendChoice,
  config: Config,
  placement: Placement,
  stores: boolean
): Promise<Backend> {
  const { factory, takes } = await loadAdapter(use, config.directory)
  const known = knownAdapter(use)
  const placed =
    known === undefined ? placeThirdParty(options, takes, placement) : (known.place?.(options, placement) ?? options)
  const made = await call(factory, placed, use)
  if (!isBackend(made))
    throw wrong(`what the factory of ${shown(use)} returns is not a backend.${meantAdapter(use)}`, 'createBackends')
  const { onWarning = warn } = placement
  const loss = stores ? lossOf(made, placement) : ''
  if (loss !== '') onWarning(`what ${shown(use)} stores ${loss}`)
  if (known === undefined)
    for (const word of untaken(options, takes, stores ? placement : { listen: placement.listen }))
      onWarning(`${shown(use)} takes no option "${word}": ${consequences[word]}`)
  // Next to the engine: each attempt has its own timeout, and the next adapter of a list replaces one that hangs.
  return config.timeout === undefined ? made : compose(made, timeout(config.timeout))
}

const consequences = {
  dir: 'it stores its content where its own options say',
  listen: 'it listens where its own options say'
}

async function call(factory: Factory, options: BackendChoice['options'], use: string): Promise<unknown> {
  try {
    return await factory(options)
  } catch (cause) {
    if (isP2plError(cause)) throw cause
    const message = `the factory of ${shown(use)} could not make a backend of these options`
    throw new P2plError({ code: 'ENGINE', operation: 'createBackends', cause, message })
  }
}

function isBackend(value: unknown): value is Backend {
  const backend = value as Partial<Backend> | null | undefined
  return (
    typeof backend?.name === 'string' &&
    typeof backend.start === 'function' &&
    typeof backend.stop === 'function' &&
    typeof backend.capabilities === 'object'
  )
}
