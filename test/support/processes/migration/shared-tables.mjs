/** The database of a better-auth application that runs as several processes: a hash on Redis for each table, a row for each field. */
import { createAdapterFactory } from 'better-auth/adapters'

export function sharedTables(client) {
  const rowsOf = async (model, where) => {
    const [only] = where.length === 1 ? where : []
    if (only?.field === 'id' && (only.operator ?? 'eq') === 'eq') {
      const row = await client.hGet(model, String(only.value))
      return row === null ? [] : [revived(row)]
    }
    return (await client.hVals(model)).map(revived).filter((row) => where.every((clause) => fits(row, clause)))
  }
  const store = async (model, row) => {
    await client.hSet(model, String(row.id), JSON.stringify(row))
    return row
  }
  const updateMany = async ({ model, where, update }) => {
    const rows = await rowsOf(model, where)
    return Promise.all(rows.map((row) => store(model, { ...row, ...update })))
  }
  const deleteMany = async ({ model, where }) => {
    const rows = await rowsOf(model, where)
    await Promise.all(rows.map(({ id }) => client.hDel(model, String(id))))
    return rows.length
  }
  return createAdapterFactory({
    config: { adapterId: 'shared-tables', adapterName: 'Shared tables', transaction: false },
    adapter: () => ({
      create: ({ model, data }) => store(model, data),
      findOne: async ({ model, where }) => (await rowsOf(model, where))[0] ?? null,
      findMany: ({ model, where = [] }) => rowsOf(model, where),
      count: async ({ model, where = [] }) => (await rowsOf(model, where)).length,
      update: async (change) => (await updateMany(change))[0] ?? null,
      updateMany: async (change) => (await updateMany(change)).length,
      delete: async (choice) => void (await deleteMany(choice)),
      deleteMany,
    }),
  })
}

function fits(row, { field, value, operator = 'eq' }) {
  if (operator === 'eq') return row[field] === value
  if (operator === 'in') return value.includes(row[field])
  throw new Error(`The tables of this test know no operator ${operator}.`)
}

function revived(text) {
  return JSON.parse(text, (_name, value) =>
    typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) ? new Date(value) : value,
  )
}
