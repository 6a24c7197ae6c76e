import { computed, type ReadonlySignal } from '@preact/signals'
import { isDemonstration } from './nodes.ts'
import { pageName, shown } from './page-peer.ts'

/** Names of nodes by their accounts, and by their ids on each network. */
const known: ReadonlySignal<ReadonlyMap<string, string>> = computed(() => {
  const all = new Map<string, string>()
  for (const { name, status } of shown.value) {
    if (status === undefined) continue
    all.set(status.account, name)
    for (const { id } of status.self) all.set(id, name)
  }
  return all
})

/** The node that an account or an id of an engine belongs to. */
export function nodeOf(id: string | undefined): string | undefined {
  return id === undefined ? undefined : known.value.get(id)
}

/** A name for people: the name of the node, or a shortened id. */
export function nameOf(id: string): string {
  const name = known.value.get(id)
  return name === undefined || !isDemonstration.value ? short(id) : name
}

export function labelOf(node: string): string {
  return isDemonstration.value || node === pageName ? node : 'this node'
}

/** The start and the end of an id; the start alone would not do, because ids of one kind begin alike. */
export function short(id: string): string {
  return id.length <= 16 ? id : `${id.slice(0, 6)}…${id.slice(-6)}`
}

export function bytes(count: number): string {
  if (count < 1_024) return `${count} B`
  if (count < 1_048_576) return `${(count / 1_024).toFixed(1)} KiB`
  return `${(count / 1_048_576).toFixed(1)} MiB`
}

export function duration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`
  if (ms < 1_000) return `${Math.round(ms)} ms`
  return `${(ms / 1_000).toFixed(1)} s`
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`
}
