import { packageOf } from '@p2pl/tooling-tsup/packages'
import type { Room } from './rooms.ts'
import { isRelative } from './source.ts'

/** Whether a file of `src` may import the module. `file` is relative to `src`. */
export function mayImport(room: Room, file: string, specifier: string): boolean {
  if (isRelative(specifier) || specifier.startsWith('#')) return true
  if (specifier.startsWith('node:')) return room.node === true || room.node?.includes(file) === true
  if (specifier.startsWith('@p2pl/'))
    return room.ours.some((door) => specifier === door || (door !== '@p2pl/core' && specifier.startsWith(`${door}/`)))
  return room.theirs === 'engine' || room.theirs.includes(packageOf(specifier))
}

/** Our packages that the room may depend on at run time, without their scope. */
export function dependencies(room: Room): string[] {
  return [...new Set(room.ours.map((door) => packageOf(door).slice('@p2pl/'.length)))]
}
