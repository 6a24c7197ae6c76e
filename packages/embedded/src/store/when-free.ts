import { whenFree as whenStoreFree, type WhenFreeOptions } from '@p2pl/store'

export type { WhenFreeOptions } from '@p2pl/store'

/**
 * In a browser: resolves when the `dir` of a backend belongs to this tab: at once, or when the tab that has it closes
 * or stops its peer. The `dir` then stays reserved for the next peer of this page. Waiting tabs are served in the order
 * of their calls. In Node it resolves at once: a process does not wait, and a second one gets `LOCKED` instead.
 */
export async function whenFree(dir: string, options?: WhenFreeOptions): Promise<void> {
  await whenStoreFree(dir && storeIn(dir), options)
}

/** The location of the store of a backend with this `dir`. */
export function storeIn(dir: string): string {
  return `${dir}/store`
}
