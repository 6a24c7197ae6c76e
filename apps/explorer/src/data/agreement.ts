import { computed, type ReadonlySignal } from '@preact/signals'
import { shown } from './page-peer.ts'

export interface Agreement {
  /** Each root and the nodes that have it, the most common root first. */
  readonly roots: readonly { readonly root: string; readonly names: readonly string[] }[]
  readonly up: number
  readonly all: number
}

export const agreement: ReadonlySignal<Agreement> = computed(() => {
  const byRoot = new Map<string, string[]>()
  let up = 0
  for (const { name, life, status } of shown.value) {
    if (life !== 'up' || status === undefined) continue
    up++
    byRoot.set(status.root, [...(byRoot.get(status.root) ?? []), name])
  }
  const roots = [...byRoot]
    .map(([root, names]) => ({ root, names }))
    .toSorted((a, b) => b.names.length - a.names.length)
  return { roots, up, all: shown.value.length }
})

/** The number of a root's colour: 0 for the most common root, up to 3. */
export function colourOf(root: string | undefined): number {
  return Math.min(
    Math.max(
      agreement.value.roots.findIndex((one) => one.root === root),
      0
    ),
    3
  )
}
