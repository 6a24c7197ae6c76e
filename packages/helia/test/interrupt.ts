import type { HeliaNode } from '../src/index.ts'
import { selfOf } from './self.ts'

/** Both sides forget the connection, so that neither makes it again before the other has noticed. */
export async function forgetEachOther(backends: readonly HeliaNode[], index: number): Promise<void> {
  const lost = backends[index]
  if (lost === undefined) return
  const others = backends.filter((backend) => backend !== lost)
  await Promise.all(others.map((backend) => backend.routing.disconnect(selfOf(lost).id)))
  await Promise.all(others.map((backend) => lost.routing.disconnect(selfOf(backend).id)))
}
