import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals'
import { type Fetch, fetches, type Flight, flights, machineNow } from './traces.ts'

export const speeds = [1, 0.1, 0.01] as const
export type Speed = (typeof speeds)[number]

const stepMs = 250

export const speed: Signal<Speed> = signal(1)
export const paused: Signal<boolean> = signal(false)
/** The time that the picture shows, on the machine's clock. */
export const playhead: Signal<number> = signal(0)
/** The same time in steps: a list that changed with each frame could not be read. */
export const step: ReadonlySignal<number> = computed(() => Math.ceil(playhead.value / stepMs) * stepMs)
/** Whether the picture shows the present. */
export const isLive: Signal<boolean> = signal(true)

/** Events reach the page some time after they happened, and out of order. */
const lagMs = 250
/** Time (ms) in which nothing moves is skipped if the picture is not live. */
const idleMs = 10
/** An unanswered request is shown for at most this long (ms). */
const longestMs = 10_000

/** The time span that can be replayed. */
export function span(): { from: number; to: number } {
  const to = machineNow() - lagMs
  return { from: Math.min(flights[0]?.from ?? to, fetches[0]?.from ?? to, to), to }
}

export function goLive(): void {
  speed.value = 1
  paused.value = false
  isLive.value = true
}

/** Shows the state at this time, and either stays there or continues from there. */
export function seek(at: number): void {
  isLive.value = false
  playhead.value = at
}

/** Shows one message on its way, in slow motion. */
export function replay({ from }: Flight): void {
  speed.value = 0.01
  paused.value = false
  seek(from - 1)
}

export function setSpeed(value: Speed): void {
  speed.value = value
  if (value < 1) isLive.value = false
}

export function setPaused(value: boolean): void {
  paused.value = value
  isLive.value = false
}

/** Moves the picture forward by this many milliseconds of the user's time. */
export function advance(ms: number): void {
  const { from, to } = span()
  if (!Number.isFinite(to)) return
  if (isLive.value) {
    playhead.value = to
    return
  }
  if (paused.value) return
  let at = Math.max(playhead.value, from)
  if (!isBusy(at)) at = Math.max(at, Math.min(nextAfter(at) - idleMs * speed.value, to))
  at += ms * speed.value
  if (at >= to) {
    at = to
    if (speed.value === 1) isLive.value = true
  }
  playhead.value = at
}

/** How long a flight is still shown after its end, in the machine's time. */
export function afterglow(): number {
  return isLive.value ? 400 : 25 * speed.value
}

export function flightsAt(at: number): Flight[] {
  return within(flights, (flight) => isFlying(flight, at))
}

export function fetchesAt(at: number): Fetch[] {
  return within(fetches, (fetch) => fetch.from <= at && at <= endOf(fetch) + afterglow())
}

function isFlying({ from, to }: Flight, at: number): boolean {
  return from <= at && at <= to + afterglow()
}

function endOf({ from, arrived, failed }: Fetch): number {
  return (arrived ?? failed)?.at ?? from + longestMs
}

/** Looks only at the newest; older ones have ended. */
function within<T>(all: readonly T[], isShown: (one: T) => boolean): T[] {
  const found: T[] = []
  for (let i = all.length - 1; i >= 0 && found.length < 60; i--) {
    const one = all[i]
    if (one !== undefined && isShown(one)) found.push(one)
  }
  return found
}

function isBusy(at: number): boolean {
  return (
    flights.some((flight) => isFlying(flight, at)) ||
    // A search for a block that found nothing is not waited for.
    fetches.some((one) => one.arrived !== undefined && one.from <= at && at <= one.arrived.at + afterglow())
  )
}

function nextAfter(at: number): number {
  const first = (all: readonly { readonly from: number }[]): number =>
    all.find(({ from }) => from > at)?.from ?? Infinity
  return Math.min(first(flights), first(fetches))
}
