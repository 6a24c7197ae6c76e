import type { Options } from 'tsup'
import { packageOf } from './packages.ts'

type Plugin = NonNullable<Options['esbuildPlugins']>[number]

/**
 * Replaces packages with a module that throws when it is used, so that neither they nor their dependencies are in the
 * bundle.
 */
export function omitted(names: readonly string[]): Plugin {
  return {
    name: 'omitted',
    setup(build) {
      build.onResolve({ filter: /^[^./]/ }, ({ path }) =>
        names.includes(packageOf(path)) ? { path, namespace: 'omitted', sideEffects: false } : undefined
      )
      build.onLoad({ filter: /.*/, namespace: 'omitted' }, ({ path }) => ({
        // A CommonJS module: any name can be imported from it.
        contents: `module.exports = new Proxy(class { constructor () { throw new Error(${JSON.stringify(`${path} is not a part of this package`)}) } }, { get: (target, key) => key === '__esModule' ? true : key in target ? target[key] : target })`,
        loader: 'js'
      }))
    }
  }
}
