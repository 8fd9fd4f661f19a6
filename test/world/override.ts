/** The object with some of its methods replaced; all others, later ones too, are its own. */
export function override<T extends object>(target: T, by: Partial<T>): T {
  return new Proxy(target, {
    get(of, name) {
      if (name in by) return Reflect.get(by, name)
      const value: unknown = Reflect.get(of, name, of)
      return typeof value === 'function' ? value.bind(of) : value
    },
  })
}
