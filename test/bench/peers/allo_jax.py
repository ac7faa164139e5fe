"""The ALLO training step in JAX on the CPU, float32: what a compiled Python version of it reaches.

  allo_jax.py --preset seed|paper --mode rows|distinct --threads 1 --seconds 8

Written from the equations of "Proper Laplacian Representation Learning" (ICLR 2024). room4, transitions collected before
the clock runs; every step's batches are drawn by NumPy while the step before runs. rows: the network sees every row of the
batches; distinct: it sees the 104 states once, batches come as counts. Prints steps per second with one step per call of
the compiled function, and with 20 of them in a lax.scan.
"""
import argparse
import os
import time

ROOM4 = "1fff 1041 1001 1041 1041 1041 1dfb 1021 1021 1001 1021 1021 1fff"  # rows of walls, binary, left to right
SIDE, STEPS_PER_SCAN = 13, 20
SEED = dict(d=10, layers=4, batch=256, rate=3e-4, dual_rate=3e-4, barrier_rate=3e-4, barrier=0.5, barrier_limit=0.5,
            dual=-2.0, graph=0.5, gamma=0.2, episodes=1000, horizon=1000)
PAPER = dict(d=11, layers=3, batch=1024, rate=1e-3, dual_rate=1e-4, barrier_rate=0.01, barrier=2.0, barrier_limit=1e4,
             dual=0.0, graph=1.0, gamma=0.9, episodes=20000, horizon=50)

parser = argparse.ArgumentParser()
parser.add_argument("--preset", choices=("seed", "paper"), default="seed")
parser.add_argument("--mode", choices=("rows", "distinct"), default="distinct")
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--seconds", type=float, default=8)
args = parser.parse_args()
if args.threads == 1:
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax  # noqa: E402  (reads the flags above)
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

o = SEED if args.preset == "seed" else PAPER
one_sided = args.preset == "seed"
m, d = o["batch"], o["d"]
random = np.random.default_rng(0)

# ---- the walk, its transitions, and batches of them
walls = np.array([[int(bit) for bit in f"{int(row, 16):013b}"] for row in ROOM4.split()], bool)
cells = np.argwhere(~walls)
n = len(cells)
index = {tuple(cell): i for i, cell in enumerate(cells)}
moves = ((-1, 0), (0, 1), (1, 0), (0, -1))
neighbours = np.array([[index.get((r + dr, c + dc), i) for dr, dc in moves] for i, (r, c) in enumerate(cells)])
if one_sided:
    X = (cells[:, ::-1] - SIDE / 2) / (SIDE / 2)
else:
    X = cells / SIDE - 0.5
X = jnp.asarray(X, jnp.float32)
trajectories = np.empty((o["horizon"] + 1, o["episodes"]), np.int32)
trajectories[0] = random.integers(0, n, o["episodes"])
for t in range(o["horizon"]):
    trajectories[t + 1] = neighbours[trajectories[t], random.integers(0, 4, o["episodes"])]


def draw_pairs(count):
    episode, t = random.integers(0, o["episodes"], count), random.integers(0, o["horizon"], count)
    left = o["horizon"] - t
    offset = 1 + np.log1p(-(1 - o["gamma"] ** left) * random.random(count)) / np.log(o["gamma"])
    return trajectories[t, episode], trajectories[t + np.minimum(offset.astype(np.int64), left), episode]


def draw_states(count):
    if one_sided:
        return draw_pairs(count)[0]
    return trajectories[random.integers(0, o["horizon"] + 1, count), random.integers(0, o["episodes"], count)]


def draw_batches(steps):
    """Inputs of so many steps, stacked."""
    s, s_next = (x.reshape(steps, m) for x in draw_pairs(steps * m))
    first = s if one_sided else draw_states(steps * m).reshape(steps, m)
    second = draw_states(steps * m).reshape(steps, m)
    if args.mode == "rows":
        return dict(s=s, s_next=s_next, first=first, second=second)
    pairs = np.stack([np.bincount(a * n + b, minlength=n * n) for a, b in zip(s, s_next)]).reshape(steps, n, n)
    counts = lambda states: np.stack([np.bincount(row, minlength=n) for row in states])  # noqa: E731
    batch = dict(pairs=pairs, first=counts(first), second=counts(second))
    return {name: (x / m).astype(np.float32) for name, x in batch.items()}


# ---- network and objective
def initial_network():
    sizes = [2] + [256] * o["layers"] + [d]
    cut = lambda shape: np.clip(random.normal(size=shape), -2, 2)  # noqa: E731
    return [(jnp.asarray(cut((i, k)) / np.sqrt(i), jnp.float32), jnp.zeros(k)) for i, k in zip(sizes, sizes[1:])]


def network(layers, x):
    for weight, bias in layers[:-1]:
        x = jax.nn.relu(x @ weight + bias)
    weight, bias = layers[-1]
    return x @ weight + bias


def error(features, weights):
    """tril(U^T diag(w) sg(U) - I)"""
    return jnp.tril(features.T @ jax.lax.stop_gradient(features * weights) - jnp.eye(d))


def errors_and_graph(layers, batch):
    if args.mode == "distinct":
        features = network(layers, X)
        pairs = batch["pairs"]
        laplacian = jnp.diag(pairs.sum(0) + pairs.sum(1)) - pairs - pairs.T
        graph = (features * (laplacian @ features)).sum()
        return error(features, batch["first"][:, None]), error(features, batch["second"][:, None]), graph
    if one_sided:
        phi, phi_next = jnp.split(network(layers, X[jnp.concatenate([batch["s"], batch["s_next"]])]), 2)
        first, second = phi, network(jax.lax.stop_gradient(layers), X[batch["second"]])
    else:
        rows = jnp.concatenate([batch[name] for name in ("s", "s_next", "first", "second")])
        phi, phi_next, first, second = jnp.split(network(layers, X[rows]), 4)
    return error(first, 1 / m), error(second, 1 / m), ((phi - phi_next) ** 2).sum() / m


def loss(layers, state, batch):
    e1, e2, graph = errors_and_graph(layers, batch)
    mean, penalty = (e1, 2 * e1 * jax.lax.stop_gradient(e2)) if one_sided else ((e1 + e2) / 2, e1 * e2)
    value = o["graph"] * graph + (state["duals"] * mean).sum() + state["barrier"] * penalty.sum()
    return value, (mean, penalty)


def step(state, batch):
    (value, (mean, penalty)), gradient = jax.value_and_grad(loss, has_aux=True)(state["layers"], state, batch)
    t = state["t"] + 1
    tree = jax.tree_util.tree_map
    first = tree(lambda a, g: 0.9 * a + 0.1 * g, state["first"], gradient)
    second = tree(lambda a, g: 0.999 * a + 0.001 * g * g, state["second"], gradient)
    correction = jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    move = lambda p, a, b: p - o["rate"] * correction * a / (jnp.sqrt(b) + 1e-8)  # noqa: E731
    average = jnp.where(t == 1, penalty, state["average"] + 0.1 * (penalty - state["average"]))
    ascent = jnp.abs(penalty.sum()) if one_sided else jnp.maximum(average, 0).mean()
    limit = jnp.inf if one_sided else 100.0
    return dict(
        layers=tree(move, state["layers"], first, second), first=first, second=second, t=t, average=average,
        duals=jnp.clip(state["duals"] + o["dual_rate"] * mean, -limit, limit),
        barrier=jnp.clip(state["barrier"] + o["barrier_rate"] * ascent, 0, o["barrier_limit"]),
    ), value


def fresh_state():
    layers = initial_network()
    zeros = jax.tree_util.tree_map(jnp.zeros_like, layers)
    again = jax.tree_util.tree_map(jnp.copy, zeros)
    return dict(layers=layers, first=zeros, second=again, t=jnp.zeros((), jnp.float32), average=jnp.zeros((d, d)),
                duals=jnp.tril(jnp.full((d, d), o["dual"])), barrier=jnp.float32(o["barrier"]))


def measure(steps_per_call):
    """Steps per second; batches are drawn while the call before runs."""
    if steps_per_call == 1:
        call = jax.jit(step, donate_argnums=0)
        draw = lambda: {name: x[0] for name, x in draw_batches(1).items()}  # noqa: E731
    else:
        call = jax.jit(lambda state, batches: jax.lax.scan(step, state, batches), donate_argnums=0)
        draw = lambda: draw_batches(steps_per_call)  # noqa: E731
    state, batch = fresh_state(), draw()
    for _ in range(3):
        state, value = call(state, batch)
        value.block_until_ready()
    calls, start = 0, time.perf_counter()
    while time.perf_counter() - start < args.seconds:
        state, value = call(state, batch)
        batch = draw()
        value.block_until_ready()
        calls += 1
    return calls * steps_per_call / (time.perf_counter() - start), value


single, _ = measure(1)
scanned, last = measure(STEPS_PER_SCAN)
print(f"ALLO jax {jax.__version__} preset={args.preset} mode={args.mode} threads={args.threads} "
      f"single steps/s={single:.1f} scanned steps/s={scanned:.1f} last loss {float(np.ravel(last)[-1]):.4f}")
