/** The object with some properties replaced. A proxy, so that getters stay live and methods keep their `this`. */
export function override<T extends object>(target: T, own: { readonly [K in keyof T]?: unknown }): T {
  return new Proxy(target, {
    get: (inner, key) => {
      if (Object.hasOwn(own, key)) return Reflect.get(own, key) as unknown
      const value: unknown = Reflect.get(inner, key, inner)
      return typeof value === 'function' ? (value.bind(inner) as unknown) : value
    }
  })
}
