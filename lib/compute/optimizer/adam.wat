;; The passes of an optimizer step over slices of shared memory, four float32 lanes at a time: the squared norm of the
;; gradient, Adam, and the running average of the parameters. Assembled into adam.wasm (see build.ts).
;;
;; squaredNorm(g, count) -> f64: lanes add up in float32 over blocks of 4096 floats, blocks in float64.
;; average(a, p, count, weight): a += weight * (p - a).
;; adam(...):
;;   g  = scale * gradient + decay * p          (scale: global-norm clipping; decay: L2, added after clipping, as torch does)
;;   m  = beta1 * m + gain1 * g
;;   v  = beta2 * v + gain2 * g * g
;;   p -= rate * m / (sqrt(v) * correction + epsilon)
;; with gain = 1 - beta, rate = lr / (1 - beta1^t) and correction = 1 / sqrt(1 - beta2^t), prepared by the caller (adam.ts).
;; Pointers are byte offsets and multiples of 16; counts are multiples of 8 floats.
(module
  (import "env" "memory" (memory 1 65536 shared))

  (func (export "squaredNorm") (param $g i32) (param $count i32) (result f64)
    (local $end i32) (local $blockEnd i32) (local $x v128) (local $y v128) (local $a v128) (local $b v128) (local $sum v128)
    (local.set $end (i32.add (local.get $g) (i32.shl (local.get $count) (i32.const 2))))
    (block $done (loop $nextBlock
      (br_if $done (i32.ge_u (local.get $g) (local.get $end)))
      (local.set $blockEnd (i32.add (local.get $g) (i32.const 16384)))
      (if (i32.gt_u (local.get $blockEnd) (local.get $end)) (then (local.set $blockEnd (local.get $end))))
      (local.set $a (v128.const f32x4 0 0 0 0))
      (local.set $b (v128.const f32x4 0 0 0 0))
      (block $blockDone (loop $next
        (br_if $blockDone (i32.ge_u (local.get $g) (local.get $blockEnd)))
        (local.set $x (v128.load (local.get $g)))
        (local.set $y (v128.load offset=16 (local.get $g)))
        (local.set $a (f32x4.add (local.get $a) (f32x4.mul (local.get $x) (local.get $x))))
        (local.set $b (f32x4.add (local.get $b) (f32x4.mul (local.get $y) (local.get $y))))
        (local.set $g (i32.add (local.get $g) (i32.const 32)))
        (br $next)))
      (local.set $a (f32x4.add (local.get $a) (local.get $b)))
      (local.set $sum (f64x2.add (local.get $sum) (f64x2.add
        (f64x2.promote_low_f32x4 (local.get $a))
        (f64x2.promote_low_f32x4 (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $a) (local.get $a))))))
      (br $nextBlock)))
    (f64.add (f64x2.extract_lane 0 (local.get $sum)) (f64x2.extract_lane 1 (local.get $sum))))

  (func (export "average") (param $a i32) (param $p i32) (param $count i32) (param $weight f32)
    (local $end i32) (local $x v128) (local $weight4 v128)
    (local.set $weight4 (f32x4.splat (local.get $weight)))
    (local.set $end (i32.add (local.get $a) (i32.shl (local.get $count) (i32.const 2))))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $a) (local.get $end)))
      (local.set $x (v128.load (local.get $a)))
      (v128.store (local.get $a) (f32x4.add (local.get $x)
        (f32x4.mul (local.get $weight4) (f32x4.sub (v128.load (local.get $p)) (local.get $x)))))
      (local.set $a (i32.add (local.get $a) (i32.const 16)))
      (local.set $p (i32.add (local.get $p) (i32.const 16)))
      (br $next))))

  (func (export "adam")
    (param $p i32) (param $m i32) (param $v i32) (param $g i32) (param $count i32)
    (param $scale f32) (param $decay f32) (param $beta1 f32) (param $beta2 f32) (param $gain1 f32) (param $gain2 f32)
    (param $rate f32) (param $correction f32) (param $epsilon f32)
    (local $end i32) (local $x v128) (local $dx v128) (local $m4 v128) (local $v4 v128)
    (local $scale4 v128) (local $decay4 v128) (local $beta1_4 v128) (local $beta2_4 v128) (local $gain1_4 v128)
    (local $gain2_4 v128) (local $rate4 v128) (local $correction4 v128) (local $epsilon4 v128)
    (local.set $scale4 (f32x4.splat (local.get $scale)))
    (local.set $decay4 (f32x4.splat (local.get $decay)))
    (local.set $beta1_4 (f32x4.splat (local.get $beta1)))
    (local.set $beta2_4 (f32x4.splat (local.get $beta2)))
    (local.set $gain1_4 (f32x4.splat (local.get $gain1)))
    (local.set $gain2_4 (f32x4.splat (local.get $gain2)))
    (local.set $rate4 (f32x4.splat (local.get $rate)))
    (local.set $correction4 (f32x4.splat (local.get $correction)))
    (local.set $epsilon4 (f32x4.splat (local.get $epsilon)))
    (local.set $end (i32.add (local.get $p) (i32.shl (local.get $count) (i32.const 2))))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $p) (local.get $end)))
      (local.set $x (v128.load (local.get $p)))
      (local.set $dx (f32x4.add
        (f32x4.mul (local.get $scale4) (v128.load (local.get $g)))
        (f32x4.mul (local.get $decay4) (local.get $x))))
      (v128.store (local.get $m) (local.tee $m4 (f32x4.add
        (f32x4.mul (local.get $beta1_4) (v128.load (local.get $m)))
        (f32x4.mul (local.get $gain1_4) (local.get $dx)))))
      (v128.store (local.get $v) (local.tee $v4 (f32x4.add
        (f32x4.mul (local.get $beta2_4) (v128.load (local.get $v)))
        (f32x4.mul (f32x4.mul (local.get $gain2_4) (local.get $dx)) (local.get $dx)))))
      (v128.store (local.get $p) (f32x4.sub (local.get $x) (f32x4.div
        (f32x4.mul (local.get $rate4) (local.get $m4))
        (f32x4.add (f32x4.mul (f32x4.sqrt (local.get $v4)) (local.get $correction4)) (local.get $epsilon4)))))
      (local.set $p (i32.add (local.get $p) (i32.const 16)))
      (local.set $m (i32.add (local.get $m) (i32.const 16)))
      (local.set $v (i32.add (local.get $v) (i32.const 16)))
      (local.set $g (i32.add (local.get $g) (i32.const 16)))
      (br $next)))))
