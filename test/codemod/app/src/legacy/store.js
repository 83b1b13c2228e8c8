const { Redis } = require('ioredis')

class Store {
  constructor(options = {}) {
    this.prefix = options.prefix || 'store:'
    this.client = new Redis(Number(process.env.REDIS_PORT))
  }

  async put(id, fields) {
    await this.client.hset(this.prefix + id, fields)
    await this.client.expire(this.prefix + id, 90)
  }

  async get(id) {
    const fields = await this.client.hgetall(this.prefix + id)
    return Object.keys(fields).length ? fields : null
  }

  async all() {
    const keys = await this.client.keys(this.prefix + '*')
    return keys.length ? this.client.del(...keys) : 0
  }

  close() {
    return this.client.quit()
  }
}

async function storeInAClass() {
  const store = new Store({ prefix: 'p:' })
  await store.put('1', { name: 'Ada', nick: undefined, age: null, ok: true })
  const found = await store.get('1')
  const missing = await store.get('2')
  const removed = await store.all()
  const closed = await store.close()
  return { found, missing, removed, closed }
}

module.exports = { Store, storeInAClass }
