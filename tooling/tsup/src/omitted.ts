import type { Options } from 'tsup'
import { packageOf } from './packages.ts'

type Plugin = NonNullable<Options['esbuildPlugins']>[number]

/** Replaces packages by a module that throws when it is used, so that neither they nor what they need is in the bundle. */
export function omitted(names: readonly string[]): Plugin {
  return {
    name: 'omitted',
    setup(build) {
      build.onResolve({ filter: /^[^./]/ }, ({ path }) =>
        names.includes(packageOf(path)) ? { path, namespace: 'omitted', sideEffects: false } : undefined
      )
      build.onLoad({ filter: /.*/, namespace: 'omitted' }, ({ path }) => ({
        // Of the old kind: whatever name is imported from it, it is there.
        contents: `module.exports = new Proxy(class { constructor () { throw new Error(${JSON.stringify(`${path} is not a part of this package`)}) } }, { get: (target, key) => key === '__esModule' ? true : key in target ? target[key] : target })`,
        loader: 'js'
      }))
    }
  }
}
