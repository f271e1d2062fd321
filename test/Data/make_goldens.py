#!/usr/bin/env python3
# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes golden MLA cases out of the attention modules that the transformers package ships.

Each case is one safetensors file. It holds what an MLA layer sees between its projections and its
output projection, float32 unless said, one sequence:

  q        [S, H, Dn+Dr]   query after its up-projection, before RoPE (nope part first)
  c_kv     [S, L]          compressed KV after its RMS norm
  k_pe     [S, Dr]         shared rotary key, before RoPE
  w_kv_b   [H, Dn+Dv, L]   bfloat16, up-projection of the latent: K rows first, then V rows
  positions[S]             int64
  cos, sin [S, Dr/2]       rotary table rows at those positions (attention factor included); absent without RoPE
  topk_indices [S, K]      int32, sparse models only: the keys each query may see (-1 or >= S: none)
  sinks    [H]             attention sinks, models that have them: one extra logit a head in the softmax's sum
  out      [S, H, Dv]      causal attention output, before any output gate and o_proj

and, as metadata, the model's name, the softmax scale, the rope style (interleaved, half
or none; found by recomputing the output in float64) and the config.
The modules are used as they are; the seeds differ by --salt, so that a second set can be held out.
"""
import argparse, importlib, inspect, json, pathlib, torch
from safetensors.torch import save_file

COMMON = dict(hidden_size=128, num_attention_heads=2, num_key_value_heads=2)
DS = dict(kv_lora_rank=512, qk_nope_head_dim=128, qk_rope_head_dim=64, v_head_dim=128)
YARN = dict(rope_type="yarn", rope_theta=10000.0, factor=40.0, beta_fast=32, beta_slow=1,
            mscale=1.0, mscale_all_dim=1.0, original_max_position_embeddings=4096)
INDEXER = dict(index_topk=16, index_n_heads=2, index_head_dim=128)

# (case, transformers module, config overrides). Head dims are each model's own; heads and hidden size are cut down.
CASES = [
    ("deepseek_v2_lite", "deepseek_v2", dict(**DS, q_lora_rank=None)),
    ("deepseek_v3", "deepseek_v3", dict(**DS, q_lora_rank=96)),
    ("deepseek_v3_yarn", "deepseek_v3", dict(**DS, q_lora_rank=96, max_position_embeddings=163840, rope_parameters=YARN)),
    ("deepseek_v32", "deepseek_v32", dict(**DS, q_lora_rank=96, **INDEXER)),
    ("kimi_linear", "kimi_linear", dict(**DS, q_lora_rank=None)),
    ("minicpm3", "minicpm3", dict(q_lora_rank=96, kv_lora_rank=256, qk_nope_head_dim=64, qk_rope_head_dim=32, v_head_dim=64)),
    ("mistral4", "mistral4", dict(q_lora_rank=96, kv_lora_rank=256, qk_nope_head_dim=64, qk_rope_head_dim=64, v_head_dim=128)),
    ("longcat_flash", "longcat_flash", dict(**DS, q_lora_rank=96)),
    ("glm4_moe_lite", "glm4_moe_lite", dict(q_lora_rank=96, kv_lora_rank=512, qk_nope_head_dim=192, qk_rope_head_dim=64, v_head_dim=256)),
    ("glm5_next", "glm5_next", dict(q_lora_rank=96, kv_lora_rank=512, qk_nope_head_dim=256, qk_rope_head_dim=0, v_head_dim=256, **INDEXER)),
    ("glm_moe_dsa", "glm_moe_dsa", dict(q_lora_rank=96, kv_lora_rank=512, qk_nope_head_dim=192, qk_rope_head_dim=64, v_head_dim=256, **INDEXER)),
    ("hy_v4", "hy_v4", dict(q_lora_rank=96, kv_lora_rank=512, qk_nope_head_dim=192, qk_rope_head_dim=64, v_head_dim=256, **INDEXER)),
    ("youtu", "youtu", dict(**DS, q_lora_rank=96)),
    ("axk1", "axk1", dict(**DS, q_lora_rank=96)),
    ("axk2", "axk2", dict(q_lora_rank=96, kv_lora_rank=128, qk_nope_head_dim=64, qk_rope_head_dim=32, v_head_dim=64, **INDEXER)),
]

def pick(mod, *ends):
    for end in ends:
        got = [c for n, c in vars(mod).items() if inspect.isclass(c) and c.__module__ == mod.__name__ and n.endswith(end)
               and not any(w in n for w in ("Delta", "TextLinear", "Vision"))]
        if got:
            return got[0]
    return None

class FixedSelection(torch.nn.Module):
    """Stands in for an indexer: a seeded random choice of up to k causal keys a query, the query's own key among them, -1 for none."""
    def __init__(self, k, seq, salt):
        super().__init__()
        g = torch.Generator().manual_seed(salt + 5)
        rows = []
        for i in range(seq):
            row = torch.cat([torch.tensor([i]), torch.randperm(i, generator=g)[:k - 1]])
            rows.append(torch.cat([row, torch.full((k - len(row),), -1, dtype=torch.long)]))
        self.rows = torch.stack(rows)[None]
    def forward(self, *args, **kwargs):
        return self.rows

def build(name, module, over, salt, seq, start):
    m = importlib.import_module(f"transformers.models.{module}.modeling_{module}")
    c = importlib.import_module(f"transformers.models.{module}.configuration_{module}")
    cfg = pick(c, "TextConfig", "Config")
    config = cfg(**{**COMMON, **over})
    config._attn_implementation = "eager"
    torch.manual_seed(hash_of(name) + salt)
    attn = m.KimiLinearAttention if module == "kimi_linear" else pick(m, "TextAttention", "MLA", "Attention")
    layer = attn(config, layer_idx=0).float().eval()
    rot = pick(m, "RotaryEmbedding")
    for p in layer.parameters():
        if p.dim() > 1:
            torch.nn.init.normal_(p, std=p.shape[-1] ** -0.5)
        else:
            torch.nn.init.uniform_(p, 0.5, 1.5)
        p.data = p.data.bfloat16().float()     # so that w_kv_b can be kept as bfloat16 without loss
    H, dn, dr, dv, L = (config.num_attention_heads, config.qk_nope_head_dim, config.qk_rope_head_dim,
                        config.v_head_dim, config.kv_lora_rank)
    hidden = torch.randn(1, seq, config.hidden_size)
    pos = torch.arange(start, start + seq)[None]
    names = inspect.signature(layer.forward).parameters
    table = cos_r = sin_r = None
    if "position_embeddings" in names and rot is not None:
        table = rot(config)(hidden, pos)
        if isinstance(table, tuple):
            cos, sin = table
            half = cos.shape[-1] // 2
            first = torch.allclose(cos[..., :half], cos[..., half:])   # both conventions repeat the frequencies
            cos_r, sin_r = (cos[..., :half], sin[..., :half]) if first else (cos[..., ::2], sin[..., ::2])
        else:
            cos_r, sin_r = table.real, table.imag
    got = {}
    def keep(key, take):
        def hook(mod, args, kwargs, out):
            got[key] = take(args, out)
        return hook
    qp = next(x for x in (getattr(layer, n, None) for n in ("q_b_proj", "q_proj", "q_gate_proj")) if x is not None)
    qp.register_forward_hook(keep("q", lambda a, o: o.view(seq, H, -1)[..., :dn + dr].clone()), with_kwargs=True)
    eager = m.eager_attention_forward
    def attend(*args, **kwargs):
        res = eager(*args, **kwargs)
        got["out"] = res[0].clone()          # [B, S, H, Dv], before any output gate
        if kwargs.get("s_aux") is not None: got["sinks"] = kwargs["s_aux"].detach().clone()
        return res
    m.eager_attention_forward = attend
    layer.kv_a_proj_with_mqa.register_forward_hook(keep("kv_a", lambda a, o: o.clone()), with_kwargs=True)
    layer.kv_b_proj.register_forward_hook(keep("latent", lambda a, o: a[0].clone()), with_kwargs=True)
    if module == "glm5_next":   # its indexer wants a running cache; the attention takes any selection
        layer.indexer = FixedSelection(config.index_topk, seq, salt)
    if getattr(layer, "indexer", None) is not None:
        layer.indexer.register_forward_hook(keep("topk", lambda a, o: o[0].clone() if isinstance(o, tuple) else o.clone()), with_kwargs=True)
    mask = torch.full((seq, seq), torch.finfo(torch.float32).min).triu(1)[None, None]
    kw = dict(hidden_states=hidden, attention_mask=mask, past_key_values=None)
    if "position_embeddings" in names: kw["position_embeddings"] = table
    if "position_ids" in names: kw["position_ids"] = pos
    with torch.no_grad():
        try:
            layer(**kw)
        finally:
            m.eager_attention_forward = eager
    q = got["q"].view(seq, H, dn + dr)
    if getattr(layer, "mla_scale_q_lora", None) is not None:
        q = q * layer.mla_scale_q_lora
    t = dict(q=q, c_kv=got["latent"].reshape(seq, L), k_pe=got["kv_a"].view(seq, L + dr)[:, L:],
             w_kv_b=layer.kv_b_proj.weight.detach().view(H, dn + dv, L).bfloat16(), positions=pos[0], out=got["out"].view(seq, H, dv))
    if cos_r is not None and dr:
        t["cos"], t["sin"] = cos_r.float().reshape(seq, dr // 2), sin_r.float().reshape(seq, dr // 2)
    if "sinks" in got:
        t["sinks"] = got["sinks"].float()
    if "topk" in got:
        t["topk_indices"] = got["topk"].reshape(seq, -1).to(torch.int32)
    t = {k: v.detach().contiguous() for k, v in t.items()}
    scale = getattr(layer, "scaling", getattr(layer, "softmax_scale", (dn + dr) ** -0.5))
    meta = dict(model=name, softmax_scale=repr(float(scale)), rope="unknown", config=json.dumps({**COMMON, **over}))
    return t, meta

def hash_of(s):
    h = 0
    for ch in s.encode():
        h = (h * 131 + ch) % 1000003
    return h

def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--out", required=True)
    ap.add_argument("--salt", type=int, default=0)
    ap.add_argument("--seq", type=int, default=37)
    ap.add_argument("--start", type=int, default=0)
    ap.add_argument("--only", default="")
    a = ap.parse_args()
    out = pathlib.Path(a.out); out.mkdir(parents=True, exist_ok=True)
    for case in CASES:
        if a.only and case[0] not in a.only.split(","): continue
        try:
            t, meta = build(*case, a.salt, a.seq, a.start)
            check(t, meta, case[0])
        except Exception as e:  # a module that this version of the package lacks
            import traceback; tb = traceback.extract_tb(e.__traceback__)[-1]
            print("skipped", case[0], type(e).__name__, str(e)[:300], tb.filename[-60:], tb.lineno); continue
        save_file(t, out / f"{case[0]}.safetensors", metadata=meta)

def check(t, meta, label):
    """An independent float64 recomputation from the saved tensors alone: the file must explain its own output."""
    d = {k: v.double() if v.is_floating_point() else v for k, v in t.items()}
    S, H, _ = d["q"].shape; dr = d["k_pe"].shape[-1]; dn = d["q"].shape[-1] - dr; dv = d["out"].shape[-1]
    def rot(x, style):
        if style == "none" or dr == 0: return x
        c, s = d["cos"], d["sin"]
        while c.dim() < x.dim(): c, s = c.unsqueeze(1), s.unsqueeze(1)
        if style == "interleaved":
            a, b = x[..., ::2], x[..., 1::2]
            return torch.stack([a * c - b * s, b * c + a * s], -1).flatten(-2)
        a, b = x[..., :dr // 2], x[..., dr // 2:]
        return torch.cat([a * c - b * s, b * c + a * s], -1)
    mask = torch.full((S, S), float("-inf"), dtype=torch.double).triu(1)
    if "topk_indices" in d:
        idx = d["topk_indices"].long()
        sel = torch.zeros(S, S + 1, dtype=torch.bool)
        sel.scatter_(1, torch.where((idx >= 0) & (idx < S), idx, S), True)
        mask = mask.masked_fill(~sel[:, :S], float("-inf"))
    res = {}
    for style in (("none", "interleaved", "half") if "cos" in d else ("none",)):
        qp, kp = rot(d["q"][..., dn:], style), rot(d["k_pe"], style)
        kv = torch.einsum("sl,hdl->shd", d["c_kv"], d["w_kv_b"])
        kn, v = kv[..., :dn], kv[..., dn:]
        sc = (torch.einsum("qhd,khd->hqk", d["q"][..., :dn], kn) + torch.einsum("qhd,kd->hqk", qp, kp)) * float(meta["softmax_scale"])
        sc = sc + mask
        if "sinks" in d:  # one extra logit a head, with no value
            sc = torch.cat([sc, d["sinks"][:, None, None].expand(H, S, 1)], -1)
        o = torch.einsum("hqk,khd->qhd", sc.softmax(-1)[..., :S], v)
        res[style] = float((o - d["out"]).norm() / d["out"].norm())
    best = min(res, key=res.get)
    meta["rope"], meta["recomputed_error"] = best, repr(res[best])
    print(f"{label:18s} rope {best:12s} err {res[best]:.2e}  all { {k: f'{v:.1e}' for k, v in res.items()} } scale {meta['softmax_scale'][:9]} topk {tuple(d['topk_indices'].shape) if 'topk_indices' in d else '-'} dims H{H} L{d['c_kv'].shape[1]} dn{dn} dr{dr} dv{dv}")
    if not res[best] < 1e-5:
        raise RuntimeError("the saved tensors do not explain the module's output")

if __name__ == "__main__":
    main()
